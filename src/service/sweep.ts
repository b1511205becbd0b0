/**
 * The sweep: rings what is owed and may have been lost, from the journal alone. It runs on a
 * timer in every worker process, so that losing Redis, bells or workers only costs time.
 */

import type { ChunkState } from '../domain/chunk.ts';
import type { ChunkId, JobId } from '../domain/ids.ts';
import { parseJobId } from '../domain/ids.ts';
import type { JobState, PlanReference, ProviderIdentity } from '../domain/job.ts';
import { isTerminal } from '../domain/job.ts';
import { holdsSlot, needsSlot, owedByChunk, owedByJob } from '../domain/owed.ts';
import type { ChunkProgress, ChunkRef } from '../ports/live-board.ts';
import type { StepAges } from '../ports/step-ages.ts';
import type { WorkQueue } from '../ports/work-queue.ts';
import { closeJob } from '../stages/clean.ts';
import { concurrently } from '../stages/concurrently.ts';
import { OPEN_FOLDER, settledFolder } from '../stages/names.ts';
import { sweepOrphans } from '../stages/orphans.ts';
import { markSettled } from '../stages/settle.ts';
import type { ChunkTask, Tools } from '../stages/tools.ts';
import { modelOf } from '../stages/upload.ts';
import type { Alerts } from './alerts.ts';
import { BatchAlarms } from './batch-alarms.ts';
import type { Callbacks } from './callbacks.ts';
import { chunkBell, jobBell } from './bells.ts';
import { isShown, progressOf } from './chunk-effects.ts';
import type { SlotSigns } from './dead-slots.ts';
import { DeadSlots, slotKey } from './dead-slots.ts';
import type { JobLook, Slots } from './idleness.ts';
import { Idleness } from './idleness.ts';
import type { JobViews } from './job-views.ts';
import { isPlanned } from './job-views.ts';
import { Neighbours } from './neighbours.ts';
import { OldestSteps } from './oldest-steps.ts';
import { SleepingBells } from './sleeping-bells.ts';

/** Chunks whose streams are loaded at once. */
const CONCURRENCY = 16;

export class Sweep {
  readonly #tools: Tools;
  readonly #queue: WorkQueue;
  readonly #views: JobViews;
  readonly #neighbours: Neighbours;
  readonly #alerts: Alerts;
  readonly #callbacks: Pick<Callbacks, 'note'>;
  readonly #idleness: Idleness;
  readonly #batches: BatchAlarms;
  readonly #sleepers: SleepingBells;
  readonly #deadSlots: DeadSlots;
  #oldest = new OldestSteps();

  constructor(
    tools: Tools,
    queue: WorkQueue,
    views: JobViews,
    alerts: Alerts,
    provider: ProviderIdentity,
    callbacks: Pick<Callbacks, 'note'>,
  ) {
    this.#tools = tools;
    this.#queue = queue;
    this.#views = views;
    this.#neighbours = new Neighbours(tools, provider);
    this.#alerts = alerts;
    this.#callbacks = callbacks;
    this.#idleness = new Idleness(tools);
    this.#batches = new BatchAlarms(tools);
    this.#sleepers = new SleepingBells(tools, queue);
    this.#deadSlots = new DeadSlots(tools.board, queue, views);
  }

  /** How long the oldest owed steps had waited when the last sweep saw them. */
  stepAges(): StepAges {
    return this.#oldest.all();
  }

  /** One round over all open jobs of this process's provider. */
  async run(): Promise<void> {
    const oldest = new OldestSteps();
    const round: Round = {
      waiting: new Map(),
      live: new Set(),
      sending: new Set(),
      unread: new Set(),
      models: new Set(),
      looks: [],
      oldest,
      isRestored: true,
    };
    const failures: unknown[] = [];
    const failed = (error: unknown): void => void failures.push(error);
    // Where Redis is away nothing can be rung; what idles is looked at all the same.
    const wasReady = await this.#tools.board.isReady().catch((error: unknown) => {
      failed(error);
      return true;
    });
    await this.#neighbours.show().catch(failed);
    for (const name of await this.#tools.blobs.list(OPEN_FOLDER)) {
      const id = parseJobId(name);
      if (id === null) continue;
      round.unread.add(id);
      // One job that cannot be read must not keep the others from going on.
      await this.#sweepOpen(id, round, failed).then(() => round.unread.delete(id), failed);
    }
    const slots = new Map<string, ChunkRef[]>();
    for (const model of round.models) {
      await this.#deadSlots.free(model, round).then((held) => slots.set(model, held), failed);
    }
    // A board that misses slots would let too many batches live: the next sweep tries again.
    if (!wasReady && round.isRestored) await this.#tools.board.markReady().catch(failed);
    await this.#raiseAlarms(round, slots).catch(failed);
    if (round.looks.length > 0) await sweepOrphans(this.#tools).catch(failed);
    this.#oldest = oldest;
    if (failures.length > 0) throw failures[0];
  }

  async #sweepOpen(id: JobId, round: Round, failed: Failed): Promise<void> {
    const task = await this.#views.jobTask(id);
    if (task === null) return;
    const { state, version } = task.stream;
    if (!this.#neighbours.isOurs(state)) {
      if (!isTerminal(state)) await this.#neighbours.look(state);
      return;
    }
    await this.#callbacks.note(state);
    if (isTerminal(state)) {
      await this.#alerts.close(id);
      this.#tools.watch.dismiss(id);
      return closeJob(task, this.#tools);
    }
    const look = this.#idleness.look(id, version);
    round.looks.push(look);
    const due = jobBell(state, version);
    const step = owedByJob(state)?.step ?? null;
    const isMerge = step === 'merge';
    if (due !== null) {
      if (!isMerge) this.#idleness.note(look, due, null);
      if (step !== null && !isMerge) round.oldest.note(step, this.#ageMs(task.stream.atMs));
      await this.#queue.ring(due.bell, due.delayMs).catch(failed);
    }
    if (state.status === 'planned' && isPlanned(state)) {
      const areSettled = await this.#sweepChunks(state, look, round, failed);
      if (due !== null && isMerge && areSettled) {
        this.#idleness.note(look, due, null);
        round.oldest.note('merge', this.#tools.watch.see(`all settled ${id}`).elapsedMs);
      }
    }
    look.isWhole = true;
  }

  /** Resolves to whether all are settled and marked. */
  async #sweepChunks(
    job: JobState & { plan: PlanReference },
    look: JobLook,
    round: Round,
    failed: Failed,
  ): Promise<boolean> {
    const { id } = job.spec;
    const { chunks } = await this.#views.plan(job);
    const marks = new Set(await this.#tools.blobs.list(settledFolder(id)));
    const board: { shown: ReadonlyMap<ChunkId, ChunkProgress> | null } = { shown: null };
    const cut = (error: unknown): void => {
      board.shown = null;
      round.isRestored = false;
      failed(error);
    };
    await this.#tools.board.progress(id).then((shown) => (board.shown = shown), cut);
    // One stream that is damaged must not keep the other chunks from going on.
    const unreadable: unknown[] = [];
    const unread = (error: unknown): null => {
      unreadable.push(error);
      return null;
    };
    await concurrently(chunks, CONCURRENCY, async (chunk) => {
      const progress = board.shown?.get(chunk.id);
      const isMarked = marks.has(`${chunk.id}.json`);
      // A settled chunk with its mark owes nothing, and of many chunks most are settled.
      if (isMarked && (progress?.phase === 'settled' || board.shown === null)) return;
      const task = await this.#views.chunkTask(job, chunk).catch(unread);
      if (task === null) return;
      this.#note(task, look, round);
      await this.#batches.look(task, progress?.phase ?? '');
      if (board.shown === null) return;
      const known = { shown: isShown(task, progress), marked: isMarked };
      await this.#sweepChunk(task, known, round).catch(cut);
    });
    if (unreadable.length > 0) throw unreadable[0];
    return marks.size >= chunks.length;
  }

  /** Notes what is due of the chunk, for the alarms and the metrics. */
  #note(task: ChunkTask, look: JobLook, { oldest }: Round): void {
    const { state, version, atMs } = task.stream;
    look.versions += version;
    const due = chunkBell(task.job.id, task.chunk.id, state, version);
    if (due === null) return;
    const { step } = owedByChunk(state) ?? {};
    if (step !== undefined)
      oldest.note(step, this.#ageMs(atMs ?? task.job.createdAtMs) - due.delayMs);
    const takesSlot = step === 'upload' || step === 'submit';
    this.#idleness.note(look, due, takesSlot ? modelOf(task) : null);
  }

  async #sweepChunk(
    task: ChunkTask,
    known: { shown: boolean; marked: boolean },
    round: Round,
  ): Promise<void> {
    const { state, version, atMs } = task.stream;
    const ref = { job: task.job.id, chunk: task.chunk.id };
    if (!known.shown) await this.#tools.board.setProgress(ref, progressOf(task, { kind: 'idle' }));
    // Who settled it may have died before its mark, and nothing else is owed.
    if (state.status === 'settled' && !known.marked) await markSettled(task, this.#tools);
    round.models.add(modelOf(task));
    if (holdsSlot(state)) round.live.add(slotKey(ref));
    else if (owedByChunk(state)?.step === 'upload') round.sending.add(slotKey(ref));
    // What has no batch yet takes its slot itself, where there is one.
    if (needsSlot(state)) await this.#tools.board.restoreSlot(modelOf(task), ref);
    const due = chunkBell(ref.job, ref.chunk, state, version);
    if (due === null) return;
    // Who pauses wants no slot yet, and must not keep those from ringing that do.
    const isPausing = due.delayMs > 0 && this.#sleepers.restMs(due, atMs) > 0;
    if (!isPausing && this.#standsInLine(state, modelOf(task), round)) return;
    await this.#sleepers.ringOrWake(due, atMs);
  }

  /** Tells of jobs that idle, and takes away alerts that are over. */
  async #raiseAlarms({ looks }: Round, slots: Slots): Promise<void> {
    const well = await this.#idleness.judge(looks, slots);
    for (const { id } of looks) await this.#alerts.tend(id, well.has(id), this.#tools.watch);
  }

  /** By the wall clock, which may be wrong: for people only. */
  #ageMs(atMs: number | null): number {
    return atMs === null ? 0 : Math.max(0, this.#tools.clock.wallMs() - atMs);
  }

  /** Of many chunks that wait for a slot only as many are rung as there could be slots for. */
  #standsInLine(state: ChunkState, model: string, round: Round): boolean {
    // What owes a stray its collecting needs no slot, and must not keep one from others.
    if (state.status !== 'waiting' || state.strays.length > 0) return false;
    const rung = round.waiting.get(model) ?? 0;
    round.waiting.set(model, rung + 1);
    return rung >= this.#tools.policy.maxLiveBatches;
  }
}

interface Round extends SlotSigns {
  /** Waiting chunks seen so far, by model. */
  readonly waiting: Map<string, number>;
  readonly models: Set<string>;
  readonly looks: JobLook[];
  readonly oldest: OldestSteps;
}

/** Takes what failed: the sweep goes on with the rest, and rejects with it in the end. */
type Failed = (error: unknown) => void;
