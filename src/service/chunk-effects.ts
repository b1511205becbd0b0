/** What follows for others when a chunk has moved: bells, slots, progress, the merge, the brake. */

import type { ChunkState } from '../domain/chunk.ts';
import type { JobState, PlanReference } from '../domain/job.ts';
import { holdsSlot, owedByChunk } from '../domain/owed.ts';
import type { PlannedChunk } from '../domain/plan.ts';
import type { ChunkProgress } from '../ports/live-board.ts';
import type { WorkQueue } from '../ports/work-queue.ts';
import { settledFolder } from '../stages/names.ts';
import { markSettled } from '../stages/settle.ts';
import type { ChunkTask, StageAnswer, Tools } from '../stages/tools.ts';
import { modelOf } from '../stages/upload.ts';
import { chunkBell, jobBell } from './bells.ts';
import type { Brake } from './brake.ts';
import type { JobViews } from './job-views.ts';
import { isPlanned } from './job-views.ts';
import { taskInLine } from './next-in-line.ts';

export class ChunkEffects {
  readonly #tools: Tools;
  readonly #queue: WorkQueue;
  readonly #views: JobViews;
  readonly #brake: Brake;

  constructor(tools: Tools, queue: WorkQueue, views: JobViews, brake: Brake) {
    this.#tools = tools;
    this.#queue = queue;
    this.#views = views;
    this.#brake = brake;
  }

  /** After a stage: `before` is the state that it found. */
  async after(task: ChunkTask, before: ChunkState, answer: StageAnswer): Promise<void> {
    const { state } = task.stream;
    await this.#freeSlot(task, before, answer);
    // A poll tells the provider's own progress itself.
    if (state.status !== 'submitted' || state !== before || answer.kind === 'hold') {
      await this.#tools.board.setProgress(refOf(task), progressOf(task, answer));
    }
    if (state.status === 'settled') return this.settledAgain(task);
    // A hold may come with an event after which something else is owed at once.
    const hasMoved = answer.kind === 'hold' && state.status !== before.status;
    if (answer.kind === 'moved' || hasMoved) await this.#ring(task);
  }

  /** After a stage that could not be done although the disk is well: others get its slot. */
  async damaged(task: ChunkTask): Promise<void> {
    const { status } = task.stream.state;
    if (status === 'waiting' || status === 'uploaded') await this.#giveSlot(task);
  }

  /** A settled chunk owes nothing, but the job may wait for its mark. Idempotent. */
  async settledAgain(task: ChunkTask): Promise<void> {
    if (task.stream.state.status !== 'settled') return;
    await markSettled(task, this.#tools);
    await this.#brake.check(task.job.id);
    const job = await this.#views.jobTask(task.job.id);
    if (job === null || !isPlanned(job.stream.state)) return;
    // Marks are written before they are counted: whoever writes the last one sees them all.
    const marks = await this.#tools.blobs.list(settledFolder(task.job.id));
    if (marks.length < job.stream.state.plan.chunkCount) return;
    const due = jobBell(job.stream.state, job.stream.version);
    if (due !== null) await this.#queue.wake(due.bell);
  }

  /** Rings what a chunk owes, from its journal. */
  async ringChunk(job: JobState & { plan: PlanReference }, chunk: PlannedChunk): Promise<void> {
    await this.#ringTask(await this.#views.chunkTask(job, chunk));
  }

  async #ringTask(task: ChunkTask): Promise<void> {
    await this.#tools.board.setProgress(refOf(task), progressOf(task, { kind: 'idle' }));
    if (task.stream.state.status !== 'settled') await this.#ring(task);
  }

  async #ring(task: ChunkTask): Promise<void> {
    const { state, version } = task.stream;
    const due = chunkBell(task.job.id, task.chunk.id, state, version);
    if (due !== null) await this.#queue.ring(due.bell, due.delayMs);
  }

  /** A slot that the chunk had, or took for nothing, goes on. */
  async #freeSlot(task: ChunkTask, before: ChunkState, answer: StageAnswer): Promise<void> {
    const { state } = task.stream;
    // A cancel moves an uploaded chunk to settling by an append that frees nothing.
    const had = holdsSlot(before) || ['waiting', 'settling'].includes(before.status);
    const keeps = holdsSlot(state) || answer.kind === 'later' || answer.kind === 'parked';
    if (had && !keeps) await this.#giveSlot(task);
  }

  /** To the next in line. */
  async #giveSlot(task: ChunkTask): Promise<void> {
    const next = await this.#tools.board.freeSlot(modelOf(task), refOf(task));
    const inLine = next === null ? null : await taskInLine(next, this.#views);
    if (inLine !== null) await this.#ringTask(inLine);
  }
}

function refOf(task: ChunkTask) {
  return { job: task.job.id, chunk: task.chunk.id };
}

/**
 * Whether the board shows what the journal says. Two that show a chunk at once may leave the older
 * state there: where a step is owed it shows the chunk again, else nobody would.
 */
export function isShown(task: ChunkTask, shown: ChunkProgress | undefined): boolean {
  if (shown === undefined) return false;
  if (owedByChunk(task.stream.state) !== null) return true;
  return shown.phase === progressOf(task, { kind: 'idle' }).phase;
}

/** How people see the chunk now. */
export function progressOf(task: ChunkTask, answer: StageAnswer): ChunkProgress {
  const { state } = task.stream;
  const { chunk } = task;
  // What is unanswered when a chunk settles gets error lines: only its part counts those.
  const { succeeded, failed } = state.status === 'settled' ? state.part : state.tally;
  // What the batch answered counts from the moment it did, not when it is home.
  const answered = state.status === 'ended' ? (state.batch.counts?.completed ?? 0) : 0;
  return {
    phase: isHeld(state, answer) ? 'held' : state.status,
    reason: reasonOf(state, answer),
    total: chunk.requests + chunk.rejected,
    done: succeeded + failed + chunk.rejected + answered,
    failed: failed + chunk.rejected,
  };
}

/** Nothing goes on with it before the job is resumed: a batch that may not be polled included. */
function isHeld(state: ChunkState, answer: StageAnswer): boolean {
  return answer.kind === 'hold' || (state.intent.kind === 'hold' && state.status === 'waiting');
}

function reasonOf(state: ChunkState, answer: StageAnswer): string {
  if (answer.kind === 'later') return answer.reason;
  if (answer.kind === 'parked') return 'a free batch slot';
  return state.status === 'waiting' || state.status === 'uploaded' ? state.reason : '';
}
