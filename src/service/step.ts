/** One step: load, do what is owed, and ring what is owed then. */

import type { NoticeCode } from '../domain/alert.ts';
import type { JobState, Trouble } from '../domain/job.ts';
import { owedByChunk, owedByJob } from '../domain/owed.ts';
import { Weather } from '../domain/errors.ts';
import { isTerminal } from '../domain/job.ts';
import { storageTroubleOf } from '../domain/storage.ts';
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
import { RATE_LIMIT } from '../stages/tools.ts';
import { upload } from '../stages/upload.ts';
import type { Alerts } from './alerts.ts';
import { BadWeather } from './bad-weather.ts';
import { chunkBell, jobBell } from './bells.ts';
import type { Brake } from './brake.ts';
import type { Callbacks } from './callbacks.ts';
import { ChunkEffects } from './chunk-effects.ts';
import type { JobViews } from './job-views.ts';
import { isPlanned } from './job-views.ts';
import { wish } from './wish.ts';

/** Chunks whose streams are loaded at once to ring for them. */
const RINGS_AT_ONCE = 16;

/** How long a merge sleeps that nobody wakes. */
const MERGE_SLEEP_MS = 60_000;

/** What became of a bell; for how long nothing more is to be expected, null: no sign of life. */
interface Came {
  readonly answer: BellAnswer;
  readonly quietMs: number | null;
}

const NOTHING: Came = { answer: { kind: 'done' }, quietMs: null };
const MOVED_ON: Came = { ...NOTHING, quietMs: 0 };

export class Steps {
  readonly #tools: Tools;
  readonly #queue: WorkQueue;
  readonly #views: JobViews;
  readonly #effects: ChunkEffects;
  readonly #alerts: Alerts;
  readonly #callbacks: Pick<Callbacks, 'note'>;
  readonly #weather: BadWeather;

  constructor(
    tools: Tools,
    queue: WorkQueue,
    views: JobViews,
    brake: Brake,
    alerts: Alerts,
    callbacks: Pick<Callbacks, 'note'>,
  ) {
    this.#tools = tools;
    this.#queue = queue;
    this.#views = views;
    this.#effects = new ChunkEffects(tools, queue, views, brake);
    this.#alerts = alerts;
    this.#callbacks = callbacks;
    this.#weather = new BadWeather(tools);
  }

  /**
   * Answers one bell. A bell may be late, early or doubled: what is done follows from the
   * journal alone. Rejects only for what no step can know (a broken invariant, a full disk).
   */
  async answer(bell: Bell): Promise<BellAnswer> {
    const left = this.#tools.watch.attend(bell.job);
    try {
      const came =
        bell.chunk === null ? await this.#answerForJob(bell) : await this.#answerForChunk(bell);
      left(came.quietMs);
      return came.answer;
    } catch (error) {
      left('failed');
      throw error;
    }
  }

  async #answerForJob(bell: Bell): Promise<Came> {
    const task = await this.#views.jobTask(bell.job);
    if (task === null) return NOTHING;
    const due = jobBell(task.stream.state, task.stream.version);
    if (due !== null && due.bell.queue !== bell.queue) {
      await this.#queue.ring(due.bell, due.delayMs);
      return NOTHING;
    }
    const before = task.stream.state;
    const answer = await this.#weather.during(bell, () => this.#jobStage(task));
    return this.#afterJobStage(task, before, answer);
  }

  async #afterJobStage(task: JobTask, before: JobState, answer: StageAnswer): Promise<Came> {
    if (answer.kind === 'later') return again(answer.delayMs);
    if (answer.kind === 'hold') {
      this.#tellTrouble(answer, { job: task.job.id, chunk: null });
      return again(this.#tools.policy.retry.weatherMaxMs);
    }
    // A merge that counts too few marks sleeps: the last mark wakes it, even while it counts.
    if (answer.kind !== 'moved') return { ...again(MERGE_SLEEP_MS), quietMs: null };
    const { state, version } = task.stream;
    await this.#callbacks.note(state);
    if (isTerminal(state)) {
      await this.#alerts.close(task.job.id);
      await closeJob(task, this.#tools);
      this.#tools.watch.dismiss(task.job.id);
    }
    this.#tellIfHeld(before, state);
    const next = jobBell(state, version);
    if (next !== null) await this.#queue.ring(next.bell, next.delayMs);
    if (state.status === 'planned') await this.#ringChunks(task);
    return MOVED_ON;
  }

  /** When all chunks have heard of the hold: no event follows until somebody does something. */
  #tellIfHeld(before: JobState, { intent, spreadRevision, spec }: JobState): void {
    if (intent.kind !== 'hold') return;
    if (spreadRevision !== intent.revision || before.spreadRevision === spreadRevision) return;
    this.#tellTrouble(intent, { job: spec.id, chunk: null });
  }

  async #jobStage(task: JobTask): Promise<StageAnswer> {
    const { state } = task.stream;
    const owed = owedByJob(state);
    if (owed === null) return { kind: 'moved' };
    if (owed.step === 'plan') return planJob(task, this.#tools);
    if (owed.step === 'withdraw') return withdraw(task, this.#tools);
    if (!isPlanned(state)) return { kind: 'idle' };
    const { chunks } = await this.#views.plan(state);
    const open = async (chunk: (typeof chunks)[number]) =>
      this.#views.chunkStream(task.job.id, chunk);
    const load = async (chunk: (typeof chunks)[number]) => (await open(chunk)).state;
    if (owed.step === 'merge') return merge(task, chunks, load, this.#tools);
    if (owed.step === 'clean') return clean(task, chunks, load, this.#tools);
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

  async #answerForChunk(bell: Bell): Promise<Came> {
    const job = await this.#views.job(bell.job);
    if (job === null || bell.chunk === null || !isPlanned(job)) return NOTHING;
    const chunk = await this.#views.plannedChunk(job, bell.chunk);
    if (chunk === null) return NOTHING;
    const task = await this.#views.chunkTask(job, chunk);
    const before = task.stream.state;
    const due = chunkBell(bell.job, chunk.id, before, task.stream.version);
    if (due === null) {
      await this.#effects.settledAgain(task);
      return NOTHING;
    }
    if (due.bell.queue !== bell.queue || due.bell.version !== bell.version) {
      await this.#queue.ring(due.bell, due.delayMs);
      return NOTHING;
    }
    // A hold stops what is not sent yet even before every chunk has heard of it.
    const isUnsent = before.status === 'waiting' || before.status === 'uploaded';
    if (job.intent.kind === 'hold' && isUnsent) return NOTHING;
    const answer = await this.#weather.during(bell, () => this.#chunkStageOrGiveUp(task));
    if (answer.kind === 'hold') {
      const { code, message } = answer;
      const isHeld = await wish(this.#views, this.#queue, bell.job, {
        kind: 'hold',
        code,
        message,
      });
      // A cancelled job cannot be held: it goes on trying, and somebody has to know why.
      if (!isHeld && job.intent.kind === 'cancel') this.#tellTrouble(answer, bell);
    }
    const after = task.stream.state;
    if (
      before.status === 'uploaded' &&
      after.status === 'uploaded' &&
      after.reason === RATE_LIMIT
    ) {
      this.#weather.pause(bell, after.pauseMs);
    }
    await this.#effects.after(task, before, answer);
    if (answer.kind === 'later') return again(answer.delayMs);
    // What stands in line, or has nothing to do, is no sign of life.
    return answer.kind === 'parked' || answer.kind === 'idle' ? NOTHING : MOVED_ON;
  }

  /** A chunk that is damaged by itself fails again and again: it must not sit on a slot. */
  async #chunkStageOrGiveUp(task: ChunkTask): Promise<StageAnswer> {
    try {
      return await this.#chunkStage(task);
    } catch (error) {
      if (!(error instanceof Weather) && isOfOneThing(error)) await this.#effects.damaged(task);
      throw error;
    }
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

  /** A job that waits because its owner wants it to is in no trouble. */
  #tellTrouble({ code, message }: Trouble, about: Pick<Bell, 'job' | 'chunk'>): void {
    if (code !== 'unconfirmed' && code !== 'paused') this.#alert(code, message, about);
  }

  #alert(code: NoticeCode, message: string, { job, chunk }: Pick<Bell, 'job' | 'chunk'>): void {
    this.#tools.notices.tell({ level: 'alert', code, message, job, chunk });
  }
}

/** Trouble of the disk is everybody's: whoever came next would fail as well. */
function isOfOneThing(error: unknown): boolean {
  const trouble = storageTroubleOf(error);
  return trouble === null || trouble.code === 'store_damaged';
}

function again(delayMs: number): Came {
  return { answer: { kind: 'later', delayMs }, quietMs: delayMs };
}
