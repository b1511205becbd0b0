/**
 * Finds jobs for which something is due while nobody does it: the sweep shows it what is owed,
 * and signs of life say whether somebody is at it. A sign is an event in one of the job's
 * streams, a step of this process that runs, has answered or has said when it comes again, or
 * the mark of another process that has such signs. Everything is counted in sweeps and on the
 * monotonic clock, so that a process that was frozen blames nobody.
 */

import type { JobId } from '../domain/ids.ts';
import type { ChunkRef } from '../ports/live-board.ts';
import type { QueueName } from '../ports/work-queue.ts';
import { workingName } from '../stages/names.ts';
import type { Tools } from '../stages/tools.ts';
import type { DueBell } from './bells.ts';

/** Sweeps in a row without a sign: two intervals have passed then. */
const SILENT_SWEEPS = 2;

/** An alert that lasts is told again. */
const REMINDER_MS = 60 * 60_000;

/** Their steps take minutes and few run at once: a job may wait for its turn behind another's. */
const SLOW_QUEUES: ReadonlySet<QueueName> = new Set(['plan', 'settle', 'merge']);

/** What one sweep has seen of a job. */
export interface JobLook {
  readonly id: JobId;
  /** The sum over all of its streams: it grows with every event. */
  versions: number;
  /** False where a stream could not be loaded. */
  isWhole: boolean;
  /** Queues in which something is due now. */
  readonly due: Set<QueueName>;
  /** Models for whose slots chunks of the job wait. */
  readonly waiting: Set<string>;
}

/** By model: who holds its slots; a model that is not named could not be asked for. */
export type Slots = ReadonlyMap<string, readonly ChunkRef[]>;

/** `unsure`: it is seen for the first time, and nothing can be compared. */
type Sign = 'alive' | 'unsure' | 'silent';

interface Silence {
  readonly versions: number;
  readonly answers: number;
  sweeps: number;
  toldMs: number | null;
}

interface Heard {
  readonly text: string;
  readonly untilMs: number;
}

/** What a process that works on a job writes beside it at each sweep. */
interface Mark {
  readonly by: string;
  readonly beat: number;
  /**
   * How long nothing more is to be expected of it: what its steps promised, and the same again,
   * since it may have died with a newer promise that nobody has heard.
   */
  readonly quietMs: number;
}

export class Idleness {
  readonly #tools: Tools;
  readonly #silences = new Map<JobId, Silence>();
  readonly #heard = new Map<JobId, Heard>();
  /** Of this process, among those that leave marks; made with the first one. */
  #name: string | null = null;
  #beat = 0;

  constructor(tools: Tools) {
    this.#tools = tools;
  }

  /** A look at the job that begins with its own stream's version. */
  look(id: JobId, version: number): JobLook {
    return { id, versions: version, isWhole: false, due: new Set(), waiting: new Set() };
  }

  /** Notes what is owed, where its time has come. `model`: it needs a slot of that first. */
  note(look: JobLook, { bell, delayMs }: DueBell, model: string | null): void {
    const key = `due ${bell.job} ${bell.chunk ?? 'job'} ${bell.version}`;
    if (delayMs > 0 && this.#tools.watch.see(key).elapsedMs <= delayMs) return;
    if (model === null) look.due.add(bell.queue);
    else look.waiting.add(model);
  }

  /** Judges the jobs of one sweep, tells of idle ones; resolves to those that surely do not. */
  async judge(looks: readonly JobLook[], slots: Slots): Promise<ReadonlySet<JobId>> {
    const silent: JobLook[] = [];
    const well = new Set<JobId>();
    const busy = new Set<QueueName>();
    for (const look of looks) {
      const sign = await this.#signOf(look);
      if (sign === 'silent') silent.push(look);
      if (sign !== 'alive') continue;
      well.add(look.id);
      for (const queue of look.due) busy.add(queue);
    }
    for (const look of silent) {
      if (this.#owes(look, slots, busy)) this.#silent(look);
      else {
        well.add(look.id);
        this.#silences.delete(look.id);
      }
    }
    this.#forgetOthers(looks);
    return well;
  }

  /** Whether something moved, or somebody is at it. */
  async #signOf(look: JobLook): Promise<Sign> {
    const before = this.#silences.get(look.id);
    const { answers, isRunning, quietMs, promiseMs } = this.#tools.watch.attended(look.id);
    const hasAnswered = before !== undefined && before.answers !== answers;
    const isOurs = hasAnswered || isRunning || quietMs > 0;
    if (isOurs) await this.#show(look.id, quietMs + promiseMs);
    const heard = isOurs ? 'alive' : await this.#hear(look.id);
    const hasMoved = before !== undefined && look.isWhole && before.versions !== look.versions;
    const sign = hasMoved ? 'alive' : heard;
    if (before !== undefined && sign === 'silent') return sign;
    const versions = look.isWhole ? look.versions : (before?.versions ?? look.versions);
    this.#silences.set(look.id, { versions, answers, sweeps: 0, toldMs: null });
    return sign === 'silent' ? 'unsure' : sign;
  }

  /** Shows others that this process works on the job. */
  async #show(id: JobId, quietMs: number): Promise<void> {
    this.#beat += 1;
    this.#name ??= this.#tools.ids.nonce();
    const mark: Mark = { by: this.#name, beat: this.#beat, quietMs: Math.round(quietMs) };
    await this.#tools.blobs.put(workingName(id), Buffer.from(JSON.stringify(mark)));
  }

  /** What the mark of another process says; the first one that is seen may be old. */
  async #hear(id: JobId): Promise<Sign> {
    const text = (await this.#tools.blobs.get(workingName(id)))?.toString() ?? null;
    if (text === null) return 'silent';
    const nowMs = this.#tools.clock.monotonicMs();
    const heard = this.#heard.get(id);
    if (heard?.text === text) return nowMs < heard.untilMs ? 'alive' : 'silent';
    const { by, quietMs } = markOf(text);
    const untilMs = Math.max(heard?.untilMs ?? 0, nowMs + quietMs);
    this.#heard.set(id, { text, untilMs });
    if (by === this.#name) return 'silent';
    return heard === undefined ? 'unsure' : 'alive';
  }

  /** Whether anything is due that is not merely in line behind what others have. */
  #owes({ id, due, waiting }: JobLook, slots: Slots, busy: ReadonlySet<QueueName>): boolean {
    const isDue = [...due].some((queue) => !SLOW_QUEUES.has(queue) || !busy.has(queue));
    if (isDue) return true;
    return [...waiting].some((model) => {
      const holders = slots.get(model) ?? [];
      const isFull = holders.length >= this.#tools.policy.maxLiveBatches;
      // Who waits and has a slot does not wait for one: it should be uploading.
      return !isFull || holders.some(({ job }) => job === id);
    });
  }

  #silent(look: JobLook): void {
    const silence = this.#silences.get(look.id);
    if (silence === undefined) return;
    silence.sweeps += 1;
    if (silence.sweeps < SILENT_SWEEPS) return;
    const nowMs = this.#tools.clock.monotonicMs();
    if (silence.toldMs !== null && nowMs - silence.toldMs < REMINDER_MS) return;
    silence.toldMs = nowMs;
    const what = [...look.due, ...(look.waiting.size > 0 ? ['dispatch'] : [])].join(', ');
    this.#tools.notices.tell({
      level: 'alert',
      code: 'job_idle',
      message: `Work of the job is due (${what}), and nobody has done any for two sweeps.`,
      job: look.id,
      chunk: null,
    });
  }

  #forgetOthers(looks: readonly JobLook[]): void {
    const open = new Set(looks.map(({ id }) => id));
    for (const id of this.#silences.keys()) if (!open.has(id)) this.#silences.delete(id);
    for (const id of this.#heard.keys()) if (!open.has(id)) this.#heard.delete(id);
  }
}

/** A mark that cannot be read (it may be another version's) says only that somebody wrote it. */
function markOf(text: string): Pick<Mark, 'by' | 'quietMs'> {
  try {
    const { by, quietMs } = JSON.parse(text) as Partial<Mark>;
    return { by: by ?? '', quietMs: Number.isFinite(quietMs) ? (quietMs ?? 0) : 0 };
  } catch {
    return { by: '', quietMs: 0 };
  }
}
