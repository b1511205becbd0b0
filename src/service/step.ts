/** One step: load, do what is owed, and ring what is owed then. */

import { owedByChunk, owedByJob } from '../domain/owed.ts';
import { Weather } from '../domain/errors.ts';
import { afterWeather } from '../domain/retry.ts';
import { isTerminal } from '../domain/job.ts';
import type { Bell, BellAnswer, WorkQueue } from '../ports/work-queue.ts';
import { abandon, adopt } from '../stages/adopt.ts';
import { clean, closeJob } from '../stages/clean.ts';
import { collect } from '../stages/collect.ts';
import { concurrently } from '../stages/concurrently.ts';
import { merge } from '../stages/merge.ts';
import { planJob, withdraw } from '../stages/plan-job.ts';
import { poll } from '../stages/poll.ts';
import { collectStrays, settle } from '../stages/settle.ts';
import { spread } from '../stages/spread.ts';
import { submit } from '../stages/submit.ts';
import type { ChunkTask, JobTask, StageAnswer, Tools } from '../stages/tools.ts';
import { upload } from '../stages/upload.ts';
import { chunkBell, jobBell } from './bells.ts';
import type { Brake } from './brake.ts';
import { ChunkEffects } from './chunk-effects.ts';
import type { JobViews } from './job-views.ts';
import { isPlanned } from './job-views.ts';
import { wish } from './wish.ts';

/** Chunks whose streams are loaded at once to ring for them. */
const RINGS_AT_ONCE = 16;

/** The same call failing for this long is worth an alert, again and again. */
const LASTING_WEATHER_MS = 15 * 60_000;

/** How long a merge sleeps that nobody wakes. */
const MERGE_SLEEP_MS = 60_000;

const DONE: BellAnswer = { kind: 'done' };

export class Steps {
  readonly #tools: Tools;
  readonly #queue: WorkQueue;
  readonly #views: JobViews;
  readonly #effects: ChunkEffects;

  constructor(tools: Tools, queue: WorkQueue, views: JobViews, brake: Brake) {
    this.#tools = tools;
    this.#queue = queue;
    this.#views = views;
    this.#effects = new ChunkEffects(tools, queue, views, brake);
  }

  /**
   * Answers one bell. A bell may be late, early or doubled: what is done follows from the
   * journal alone. Rejects only for what no step can know (a broken invariant, a full disk).
   */
  async answer(bell: Bell): Promise<BellAnswer> {
    return bell.chunk === null ? this.#answerForJob(bell) : this.#answerForChunk(bell);
  }

  async #answerForJob(bell: Bell): Promise<BellAnswer> {
    const task = await this.#views.jobTask(bell.job);
    if (task === null) return DONE;
    const due = jobBell(task.stream.state, task.stream.version);
    if (due !== null && due.bell.queue !== bell.queue) {
      await this.#queue.ring(due.bell, due.delayMs);
      return DONE;
    }
    const answer = await this.#inWeather(bell, () => this.#jobStage(task));
    return this.#afterJobStage(task, answer);
  }

  async #afterJobStage(task: JobTask, answer: StageAnswer): Promise<BellAnswer> {
    if (answer.kind === 'later') return { kind: 'later', delayMs: answer.delayMs };
    if (answer.kind === 'hold') {
      this.#alert(answer.code, answer.message, { job: task.job.id, chunk: null });
      return { kind: 'later', delayMs: this.#tools.policy.retry.weatherMaxMs };
    }
    // A merge that counts too few marks sleeps: the last mark wakes it, even while it counts.
    if (answer.kind !== 'moved') return { kind: 'later', delayMs: MERGE_SLEEP_MS };
    const { state, version } = task.stream;
    if (isTerminal(state)) await closeJob(task, this.#tools);
    const next = jobBell(state, version);
    if (next !== null) await this.#queue.ring(next.bell, next.delayMs);
    if (state.status === 'planned') await this.#ringChunks(task);
    return DONE;
  }

  async #jobStage(task: JobTask): Promise<StageAnswer> {
    const { state } = task.stream;
    const owed = owedByJob(state);
    if (owed === null) return { kind: 'moved' };
    if (owed.step === 'plan') return planJob(task, this.#tools);
    if (owed.step === 'withdraw') return withdraw(task);
    if (!isPlanned(state)) return { kind: 'idle' };
    const { chunks } = await this.#views.plan(state);
    if (owed.step === 'merge') return merge(task, chunks, this.#tools);
    const open = async (chunk: (typeof chunks)[number]) =>
      this.#views.chunkStream(task.job.id, chunk);
    if (owed.step === 'clean') {
      return clean(task, chunks, async (chunk) => (await open(chunk)).state, this.#tools);
    }
    return spread(task, chunks, open);
  }

  async #ringChunks(task: JobTask): Promise<void> {
    const { state } = task.stream;
    if (!isPlanned(state)) return;
    const { chunks } = await this.#views.plan(state);
    await concurrently(chunks, RINGS_AT_ONCE, async (chunk) =>
      this.#effects.ringChunk(state, chunk),
    );
  }

  async #answerForChunk(bell: Bell): Promise<BellAnswer> {
    const job = await this.#views.job(bell.job);
    if (job === null || bell.chunk === null || !isPlanned(job)) return DONE;
    const chunk = await this.#views.plannedChunk(job, bell.chunk);
    if (chunk === null) return DONE;
    const task = await this.#views.chunkTask(job, chunk);
    const before = task.stream.state;
    const due = chunkBell(bell.job, chunk.id, before, task.stream.version);
    if (due === null) {
      await this.#effects.settledAgain(task);
      return DONE;
    }
    if (due.bell.queue !== bell.queue || due.bell.version !== bell.version) {
      await this.#queue.ring(due.bell, due.delayMs);
      return DONE;
    }
    // A hold stops what is not sent yet even before every chunk has heard of it.
    const isUnsent = before.status === 'waiting' || before.status === 'uploaded';
    if (job.intent.kind === 'hold' && isUnsent) return DONE;
    const answer = await this.#inWeather(bell, () => this.#chunkStage(task));
    if (answer.kind === 'hold') {
      const { code, message } = answer;
      const isHeld = await wish(this.#views, this.#queue, bell.job, {
        kind: 'hold',
        code,
        message,
      });
      // A cancelled job cannot be held: it goes on trying, and somebody has to know why.
      if (!isHeld && job.intent.kind === 'cancel') this.#alert(code, message, bell);
    }
    await this.#effects.after(task, before, answer);
    return answer.kind === 'later' ? { kind: 'later', delayMs: answer.delayMs } : DONE;
  }

  async #chunkStage(task: ChunkTask): Promise<StageAnswer> {
    const owed = owedByChunk(task.stream.state);
    if (owed === null) return { kind: 'moved' };
    const stages = {
      upload,
      submit,
      adopt,
      abandon,
      poll,
      collect,
      collect_strays: collectStrays,
      settle,
    };
    return stages[owed.step](task, this.#tools);
  }

  /** Once for each stretch of bad weather that lasts. */
  #alertWhenLasting(bell: Bell, error: Weather): void {
    const key = `weather ${bell.job} ${bell.chunk ?? 'job'} ${bell.version}`;
    const { elapsedMs } = this.#tools.watch.see(`${key} lasting`);
    if (elapsedMs < LASTING_WEATHER_MS) return;
    this.#tools.watch.forget(`${key} lasting`);
    this.#alert('provider_unreachable', error.message, bell);
  }

  #alert(code: string, message: string, { job, chunk }: Pick<Bell, 'job' | 'chunk'>): void {
    this.#tools.notices.tell({ level: 'alert', code, message, job, chunk });
  }

  /** Weather that a stage did not decide about itself: wait, or hold the job. */
  async #inWeather(bell: Bell, stage: () => Promise<StageAnswer>): Promise<StageAnswer> {
    const key = `weather ${bell.job} ${bell.chunk ?? 'job'} ${bell.version}`;
    try {
      const answer = await stage();
      this.#tools.watch.forget(key);
      this.#tools.watch.forget(`${key} lasting`);
      return answer;
    } catch (error) {
      if (!(error instanceof Weather)) throw error;
      const failures = this.#tools.watch.see(key).times - 1;
      const response = afterWeather(error, failures, this.#tools.policy.retry);
      if (response.kind === 'hold') return response;
      this.#alertWhenLasting(bell, error);
      const reason = error.status === 429 ? 'rate limit' : 'the provider cannot be reached';
      return { kind: 'later', delayMs: response.delayMs, reason };
    }
  }
}
