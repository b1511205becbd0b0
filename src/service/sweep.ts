/**
 * The sweep: rings what is owed and may have been lost, from the journal alone. It runs on a
 * timer in every worker process, so that losing Redis, bells or workers only costs time.
 */

import type { ChunkState } from '../domain/chunk.ts';
import { parseJobId } from '../domain/ids.ts';
import type { JobState, PlanReference, ProviderIdentity } from '../domain/job.ts';
import { isTerminal } from '../domain/job.ts';
import { holdsSlot } from '../domain/owed.ts';
import type { PlannedChunk } from '../domain/plan.ts';
import type { ChunkRef } from '../ports/live-board.ts';
import type { WorkQueue } from '../ports/work-queue.ts';
import { closeJob } from '../stages/clean.ts';
import { concurrently } from '../stages/concurrently.ts';
import { OPEN_FOLDER, settledFolder } from '../stages/names.ts';
import { markSettled } from '../stages/settle.ts';
import type { JobTask, Tools } from '../stages/tools.ts';
import { modelOf } from '../stages/upload.ts';
import type { DueBell } from './bells.ts';
import { chunkBell, jobBell } from './bells.ts';
import { progressOf } from './chunk-effects.ts';
import type { JobViews } from './job-views.ts';
import { isPlanned } from './job-views.ts';

/** Chunks whose streams are loaded at once. */
const CONCURRENCY = 16;

/** A slot that no journal explains is freed after this time: an upload may still run. */
const SLOT_GRACE_MS = 15 * 60_000;

/** A bell that slept this much longer than it should is rung whatever the queue thinks. */
const OVERDUE_MS = 15 * 60_000;

/** Sums up one sweep. */
export interface SweepReport {
  readonly jobs: number;
  readonly rung: number;
}

export class Sweep {
  readonly #tools: Tools;
  readonly #queue: WorkQueue;
  readonly #views: JobViews;
  readonly #provider: ProviderIdentity;

  constructor(tools: Tools, queue: WorkQueue, views: JobViews, provider: ProviderIdentity) {
    this.#tools = tools;
    this.#queue = queue;
    this.#views = views;
    this.#provider = provider;
  }

  /** One round over all open jobs of this process's provider. */
  async run(): Promise<SweepReport> {
    const wasReady = await this.#tools.board.isReady();
    const round = {
      jobs: 0,
      rung: 0,
      waiting: new Map<string, number>(),
      models: new Set<string>(),
    };
    const live = new Set<string>();
    const failures: unknown[] = [];
    for (const name of await this.#tools.blobs.list(OPEN_FOLDER)) {
      const id = parseJobId(name);
      const task = id === null ? null : await this.#views.jobTask(id);
      if (task === null || !this.#isOurs(task.stream.state)) continue;
      round.jobs += 1;
      await this.#sweepJob(task, round, live).catch((error: unknown) => {
        failures.push(error);
      });
    }
    for (const model of round.models) await this.#freeDeadSlots(model, live);
    if (!wasReady) await this.#tools.board.markReady();
    if (failures.length > 0) throw failures[0];
    return { jobs: round.jobs, rung: round.rung };
  }

  async #sweepJob(task: JobTask, round: Round, live: Set<string>): Promise<void> {
    const { state, version } = task.stream;
    if (isTerminal(state)) return closeJob(task, this.#tools);
    const due = jobBell(state, version);
    if (due !== null) {
      await this.#queue.ring(due.bell, due.delayMs);
      round.rung += 1;
    }
    if (state.status !== 'planned' || !isPlanned(state)) return;
    const { chunks } = await this.#views.plan(state);
    const shown = await this.#tools.board.progress(state.spec.id);
    const marks = new Set(await this.#tools.blobs.list(settledFolder(state.spec.id)));
    await concurrently(chunks, CONCURRENCY, async (chunk) => {
      const known = { shown: shown.has(chunk.id), marked: marks.has(`${chunk.id}.json`) };
      await this.#sweepChunk(state, chunk, known, round, live);
    });
  }

  async #sweepChunk(
    job: JobState & { plan: PlanReference },
    chunk: PlannedChunk,
    known: { shown: boolean; marked: boolean },
    round: Round,
    live: Set<string>,
  ): Promise<void> {
    const task = await this.#views.chunkTask(job, chunk);
    const { state, version } = task.stream;
    const ref = { job: job.spec.id, chunk: chunk.id };
    if (!known.shown) await this.#tools.board.setProgress(ref, progressOf(task, { kind: 'idle' }));
    // Who settled it may have died before its mark, and nothing else is owed.
    if (state.status === 'settled' && !known.marked) await markSettled(task, this.#tools);
    round.models.add(modelOf(task));
    if (holdsSlot(state)) {
      live.add(keyOf(ref));
      await this.#tools.board.restoreSlot(modelOf(task), ref);
    }
    const due = chunkBell(job.spec.id, chunk.id, state, version);
    if (due === null || this.#standsInLine(state, modelOf(task), round)) return;
    await this.#ringOrWake(due);
    round.rung += 1;
  }

  /** A bell that sleeps by a wall clock that was set back is woken by our monotonic one. */
  async #ringOrWake({ bell, delayMs }: DueBell): Promise<void> {
    const key = `sweep ${bell.job} ${bell.chunk ?? 'job'} ${bell.version}`;
    const isOverdue = this.#tools.watch.see(key).elapsedMs > delayMs + OVERDUE_MS;
    if (!isOverdue) return this.#queue.ring(bell);
    this.#tools.watch.forget(key);
    await this.#queue.wake(bell);
  }

  /** Of many waiting chunks only as many are rung as there could be slots for. */
  #standsInLine(state: ChunkState, model: string, round: Round): boolean {
    if (state.status !== 'waiting') return false;
    const rung = round.waiting.get(model) ?? 0;
    round.waiting.set(model, rung + 1);
    return rung >= this.#tools.policy.maxLiveBatches;
  }

  async #freeDeadSlots(model: string, live: ReadonlySet<string>): Promise<void> {
    for (const { holder, heldMs } of await this.#tools.board.holders(model)) {
      if (live.has(keyOf(holder)) || heldMs < SLOT_GRACE_MS) continue;
      await this.#tools.board.freeSlot(model, holder);
    }
  }

  #isOurs(state: JobState): boolean {
    const { baseUrl, organization, project } = state.spec.provider;
    const ours = this.#provider;
    return (
      baseUrl === ours.baseUrl && organization === ours.organization && project === ours.project
    );
  }
}

interface Round {
  jobs: number;
  rung: number;
  /** Waiting chunks seen so far, by model. */
  readonly waiting: Map<string, number>;
  readonly models: Set<string>;
}

function keyOf(ref: ChunkRef): string {
  return `${ref.job}/${ref.chunk}`;
}
