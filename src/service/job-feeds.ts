/**
 * What happens to a job, as a stream for each who watches it. One watcher looks for all of them,
 * and only while somebody watches; what a slow one has missed of the numbers is not told late.
 */

import { Refusal } from '../domain/errors.ts';
import type { JobId } from '../domain/ids.ts';
import type { JobEvent, JobState, JobStatus } from '../domain/job.ts';
import { isTerminal, jobStatus } from '../domain/job.ts';
import type { Clock } from '../ports/clock.ts';
import type { Journal, JournalEntry } from '../ports/journal.ts';
import { jobStreamName } from '../stages/names.ts';
import type { JobReport, JobReports } from './job-reports.ts';
import { hasResult } from './settled-lines.ts';

/** Between two looks at a job that somebody watches. */
const LOOK_MS = 500;

/** After so much silence a sign of life is told: what lies between drops silent connections. */
const SILENCE_MS = 15_000;

export type FeedItem =
  /** An event of the job's journal; `status` is the job's after it. */
  | {
      readonly kind: 'job';
      readonly version: number;
      readonly type: JobEvent['type'];
      readonly status: JobStatus;
      readonly atMs: number;
    }
  /** How the job stands: first of all, and whenever it has changed. */
  | { readonly kind: 'progress'; readonly report: JobReport }
  | { readonly kind: 'silence' }
  /** The job is over; the last item. */
  | { readonly kind: 'end'; readonly status: JobStatus };

export interface FeedParts {
  readonly journal: Journal;
  readonly reports: Pick<JobReports, 'report'>;
  readonly clock: Clock;
}

export class JobFeeds {
  readonly #parts: FeedParts;
  readonly #watchers = new Map<JobId, Watcher>();

  constructor(parts: FeedParts) {
    this.#parts = parts;
  }

  /**
   * The job's events after this version of its stream (0: from the first), until it is over or
   * the signal is aborted. Rejects with `unknown_job` where it is deleted meanwhile.
   */
  async *watch(job: JobId, after: number, signal: AbortSignal): AsyncGenerator<FeedItem> {
    const watcher = this.#watcherOf(job);
    watcher.listeners += 1;
    try {
      yield* this.#items(watcher, after, signal);
    } finally {
      watcher.listeners -= 1;
      if (watcher.listeners === 0) this.#end(job, watcher);
    }
  }

  #watcherOf(job: JobId): Watcher {
    const known = this.#watchers.get(job);
    // Whose look has failed stays as it is: who comes later looks anew.
    if (known !== undefined && known.trouble === null) return known;
    const watcher = new Watcher(job, this.#parts);
    this.#watchers.set(job, watcher);
    return watcher;
  }

  #end(job: JobId, watcher: Watcher): void {
    watcher.stop();
    if (this.#watchers.get(job) === watcher) this.#watchers.delete(job);
  }

  async *#items(watcher: Watcher, after: number, signal: AbortSignal): AsyncGenerator<FeedItem> {
    let version = after;
    let seen: JobReport | null = null;
    while (!signal.aborted) {
      // Taken before anything is told: what changes while somebody reads is not missed.
      const { news } = watcher;
      if (watcher.trouble !== null) throw watcher.trouble;
      for (const entry of watcher.entries) {
        if (entry.version <= version) continue;
        version = entry.version;
        yield itemOf(entry);
      }
      const { report } = watcher;
      if (report !== null && report !== seen) {
        seen = report;
        yield { kind: 'progress', report };
      }
      if (report !== null && isOver(report.state)) {
        yield { kind: 'end', status: report.status };
        return;
      }
      if (!(await this.#hears(news, signal)) && !signal.aborted) yield { kind: 'silence' };
    }
  }

  /** False where nothing came for long, or the signal did. */
  async #hears(news: Promise<void>, signal: AbortSignal): Promise<boolean> {
    const heard = new AbortController();
    const silence = this.#parts.clock.sleep(SILENCE_MS, AbortSignal.any([heard.signal, signal]));
    const isNews = await Promise.race([news.then(() => true), silence.then(() => false)]);
    heard.abort();
    return isNews;
  }
}

/** Looks at one job for all who watch it. */
class Watcher {
  entries: readonly JournalEntry<JobEvent, JobState>[] = [];
  /** Another object when it says something else. */
  report: JobReport | null = null;
  /** Why nothing more can be seen. */
  trouble: Error | null = null;
  listeners = 0;

  readonly #job: JobId;
  readonly #parts: FeedParts;
  readonly #stopping = new AbortController();
  #news = Promise.withResolvers<void>();
  #shown = '';

  /** Looks until the job is over, or it is stopped. */
  constructor(job: JobId, parts: FeedParts) {
    this.#job = job;
    this.#parts = parts;
    void this.#run();
  }

  /** Resolves at the next change. */
  get news(): Promise<void> {
    return this.#news.promise;
  }

  stop(): void {
    this.#stopping.abort();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    try {
      while (!signal.aborted) {
        if (await this.#look()) this.#tell();
        if (this.report !== null && isOver(this.report.state)) return;
        await this.#parts.clock.sleep(LOOK_MS, signal);
      }
    } catch (error) {
      this.trouble = error instanceof Error ? error : new Error(String(error));
      this.#tell();
    }
  }

  /** Whether there is news. */
  async #look(): Promise<boolean> {
    const { journal, reports } = this.#parts;
    const stream = jobStreamName(this.#job);
    const last = await journal.load<JobEvent, JobState>(stream);
    if (last === null) throw new Refusal('unknown_job', `The job ${this.#job} is deleted.`);
    const isNew = last.version !== this.entries.at(-1)?.version;
    if (isNew) this.entries = await journal.history<JobEvent, JobState>(stream);
    const report = await reports.report(this.entries.at(-1)?.state ?? last.state);
    const shown = JSON.stringify([report.status, report.counts, report.phases, report.reasons]);
    if (shown !== this.#shown || isOver(report.state)) this.report = report;
    const isNews = isNew || shown !== this.#shown;
    this.#shown = shown;
    return isNews;
  }

  #tell(): void {
    const news = this.#news;
    this.#news = Promise.withResolvers<void>();
    news.resolve();
  }
}

/** Whether people have nothing more to wait for. */
function isOver(state: JobState): boolean {
  return hasResult(state) || isTerminal(state);
}

function itemOf({ version, event, state, atMs }: JournalEntry<JobEvent, JobState>): FeedItem {
  return { kind: 'job', version, type: event.type, status: jobStatus(state), atMs };
}
