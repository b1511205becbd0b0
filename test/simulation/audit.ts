/**
 * Watches every event of every stream at the moment it is written, from outside: it folds for
 * itself, and knows what the provider really holds.
 */

import { isDeepStrictEqual } from 'node:util';
import type { AbandonedAttempt, ChunkEvent, ChunkState } from '../../src/domain/chunk.ts';
import { freshChunk } from '../../src/domain/chunk.ts';
import type { JobEvent, JobState } from '../../src/domain/job.ts';
import { isTerminal } from '../../src/domain/job.ts';
import type { Plan } from '../../src/domain/plan.ts';
import { applyToChunk, applyToJob } from '../../src/domain/transitions.ts';
import type { JournalEntry } from '../../src/ports/journal.ts';
import type { SimulatedProcess } from './process.ts';
import { isFinal, isLive } from './provider/batch.ts';
import type { ProviderModel } from './provider/model.ts';

/** How long a create of unknown outcome is looked for, at least. */
export const SETTLE_MS = 120_000;

const ENTRY = /^local\/jobs\/(job_\w+)\/journal\/(job|c\d+)\/(\d{8})\.json$/;

export class Audit {
  readonly jobs = new Map<string, JobState>();
  /** By `<job>/<chunk>`. */
  readonly chunks = new Map<string, ChunkState>();
  /** Events that were written, by type. */
  readonly counts = new Map<string, number>();
  readonly #versions = new Map<string, number>();
  /** Who won the decision to create, by attempt. */
  readonly #winners = new Map<string, SimulatedProcess>();
  readonly #decidedAtMs = new Map<string, number>();
  readonly #batches = new Set<string>();
  readonly #nowMs: () => number;
  readonly #provider: ProviderModel;
  readonly #readPlan: (job: string) => Plan;
  readonly #fail: (violation: string) => void;
  readonly #trace: ((line: string) => void) | null;

  constructor(
    nowMs: () => number,
    provider: ProviderModel,
    readPlan: (job: string) => Plan,
    fail: (violation: string) => void,
    trace: ((line: string) => void) | null,
  ) {
    this.#nowMs = nowMs;
    this.#provider = provider;
    this.#readPlan = readPlan;
    this.#fail = fail;
    this.#trace = trace;
  }

  /** An object was created; most are no events. */
  created(process: SimulatedProcess, name: string, bytes: Uint8Array): void {
    const match = ENTRY.exec(name);
    if (match === null) return;
    const [, job = '', stream = '', digits = ''] = match;
    const entry = JSON.parse(Buffer.from(bytes).toString()) as JournalEntry<never, never>;
    const key = `${job}/${stream}`;
    const version = (this.#versions.get(key) ?? 0) + 1;
    this.#versions.set(key, version);
    this.#trace?.(`${process.name} appends ${key} ${version} ${JSON.stringify(entry.event)}`);
    this.#require(Number(digits) === version, `${name} is not version ${version}`);
    if (stream === 'job') this.#jobEvent(job, entry);
    else this.#chunkEvent(key, job, entry, process);
  }

  /** A create takes effect now. */
  creating(process: SimulatedProcess, attemptId: string): void {
    const winner = this.#winners.get(attemptId);
    this.#require(
      winner === process,
      `${process.name} creates ${attemptId} without its own append`,
    );
  }

  #jobEvent(job: string, entry: JournalEntry<JobEvent, JobState>): void {
    const { event, state } = entry;
    this.#count(event.type);
    const folded = applyToJob(this.jobs.get(job) ?? null, event);
    this.#require(isDeepStrictEqual(folded, state), `${job} ${event.type}: not what it folds to`);
    this.jobs.set(job, state);
    if (event.type === 'merged') {
      const states = [...this.chunks].filter(([key]) => key.startsWith(`${job}/`));
      const open = states.filter(([, { status }]) => status !== 'settled').map(([key]) => key);
      this.#require(open.length === 0, `${job} is merged while ${open.join()} is not settled`);
    }
    if (isTerminal(state)) this.#nothingLive(job);
  }

  #nothingLive(job: string): void {
    for (const batch of this.#provider.batches.values()) {
      if (batch.metadata['job'] !== job || !isLive(batch)) continue;
      const excused = this.#provider.ledger.isExcused(batch) || !this.#provider.isReadable(batch);
      this.#require(excused, `${job} is over and ${batch.id} still runs`);
    }
  }

  #chunkEvent(
    key: string,
    job: string,
    entry: JournalEntry<ChunkEvent, ChunkState>,
    process: SimulatedProcess,
  ): void {
    const { event, state } = entry;
    this.#count(event.type);
    const before = this.chunks.get(key) ?? this.#fresh(key, job);
    const folded = applyToChunk(before, event);
    this.#require(isDeepStrictEqual(folded, state), `${key} ${event.type}: not what it folds to`);
    this.chunks.set(key, state);
    if (event.type === 'submitting') {
      this.#winners.set(event.attemptId, process);
      this.#decidedAtMs.set(event.attemptId, this.#nowMs());
      const { maxAttempts } = this.jobs.get(job)?.options ?? { maxAttempts: 0 };
      this.#require(state.executed < maxAttempts, `${key} goes beyond ${maxAttempts} attempts`);
    }
    if (event.type === 'submitted') this.#submitted(key, event.batchId, state);
    if (event.type === 'abandoned') {
      for (const given of state.abandoned.slice(-1)) this.#abandoned(key, given);
    }
    if (event.type === 'ended' || event.type === 'stray_collected') {
      const id = event.type === 'ended' ? event.batch.batchId : event.attempt.batchId;
      const batch = this.#provider.batches.get(id);
      this.#require(batch !== undefined && isFinal(batch), `${id} is taken as ended`);
    }
  }

  /** A batch is one attempt's, the one whose file it runs over. */
  #submitted(key: string, batchId: string, state: ChunkState): void {
    this.#require(!this.#batches.has(batchId), `${batchId} is taken twice`);
    this.#batches.add(batchId);
    const batch = this.#provider.batches.get(batchId);
    const fileId = state.status === 'submitted' ? state.attempt.upload.fileId : '';
    this.#require(batch?.inputFileId === fileId, `${key}: ${batchId} runs over another file`);
  }

  /** Nothing is given up too soon, or while its input file could still be used. */
  #abandoned(key: string, { attemptId, fileId }: AbandonedAttempt): void {
    const sinceMs = this.#nowMs() - (this.#decidedAtMs.get(attemptId) ?? 0);
    this.#require(sinceMs >= SETTLE_MS, `${key} is given up after ${Math.round(sinceMs)} ms`);
    this.#require(this.#provider.givenUp(fileId), `${key} is given up, but ${fileId} is there`);
  }

  #fresh(key: string, job: string): ChunkState {
    const chunk = this.#readPlan(job).chunks.find(({ id }) => key.endsWith(id));
    return freshChunk(chunk?.requests ?? -1);
  }

  #count(type: string): void {
    this.counts.set(type, (this.counts.get(type) ?? 0) + 1);
  }

  #require(condition: boolean, violation: string): void {
    if (!condition) this.#fail(violation);
  }
}
