/**
 * Watches every event of every stream at the moment it is written, from outside: it folds for
 * itself, and knows what the provider really holds.
 */

import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { AbandonedAttempt, ChunkEvent, ChunkState } from '../../src/domain/chunk.ts';
import { freshChunk } from '../../src/domain/chunk.ts';
import type { JobId } from '../../src/domain/ids.ts';
import type { JobEvent, JobSource, JobState } from '../../src/domain/job.ts';
import { isTerminal } from '../../src/domain/job.ts';
import type { Plan } from '../../src/domain/plan.ts';
import { applyToChunk, applyToJob } from '../../src/domain/transitions.ts';
import type { JournalEntry } from '../../src/ports/journal.ts';
import { manifestName, planName, resultName } from '../../src/stages/names.ts';
import { keepsLocal, keepsRemote } from './deletions.ts';
import { Conduct } from './conduct.ts';
import { chunkStepsBack, jobStepsBack } from './forward.ts';
import { Liveness } from './liveness.ts';
import type { SimulatedProcess } from './process.ts';
import type { Profile } from './profile.ts';
import { isFinal, isLive } from './provider/batch.ts';
import type { ProviderModel } from './provider/model.ts';

/** How long a create of unknown outcome is looked for, at least. */
export const SETTLE_MS = 120_000;

const ENTRY = /^local\/jobs\/(job_\w+)\/journal\/(job|c\d+)\/(\d{8})\.json$/;

export interface AuditParts {
  readonly nowMs: () => number;
  readonly model: ProviderModel;
  readonly read: {
    readonly objects: (name: string) => Buffer;
    readonly files: (path: string) => Buffer;
  };
  readonly profile: Profile;
  /** The worker processes that live now. */
  readonly workers: () => readonly SimulatedProcess[];
  readonly fail: (violation: string) => void;
  readonly trace: ((line: string) => void) | null;
}

export class Audit {
  readonly jobs = new Map<string, JobState>();
  /** By `<job>/<chunk>`. */
  readonly chunks = new Map<string, ChunkState>();
  /** Jobs that their owner removed. */
  readonly removed = new Set<string>();
  /** Events that were written, by type. */
  readonly counts = new Map<string, number>();
  readonly #versions = new Map<string, number>();
  /** Who won the decision to create, by attempt. */
  readonly #winners = new Map<string, SimulatedProcess>();
  /** The most and the fewest attempts that a job's options ever allowed. */
  readonly #allowed = new Map<string, number>();
  readonly #fewest = new Map<string, number>();
  /** Since when a job has its result. */
  readonly #mergedAtMs = new Map<string, number>();
  readonly #decidedAtMs = new Map<string, number>();
  readonly #batches = new Set<string>();
  /** Input files whose create was given up at some time. */
  readonly #givenUp = new Set<string>();
  /** The lines that may be sent. */
  readonly #requestLines = new Set<string>();
  readonly conduct: Conduct;
  readonly liveness: Liveness;
  readonly #plans = new Map<string, Plan>();
  readonly #nowMs: () => number;
  readonly #provider: ProviderModel;
  readonly #objects: (name: string) => Buffer;
  readonly #files: (path: string) => Buffer;
  readonly #fail: (violation: string) => void;
  readonly #trace: ((line: string) => void) | null;

  constructor({ nowMs, model, read, profile, workers, fail, trace }: AuditParts) {
    this.#nowMs = nowMs;
    this.#provider = model;
    this.#objects = read.objects;
    this.#files = read.files;
    this.#fail = fail;
    this.#trace = trace;
    const { jobs, chunks, removed } = this;
    const { maxLiveBatches, sweepIntervalMs } = profile;
    const planOf = (job: string): Plan => this.#planOf(job);
    this.conduct = new Conduct({ nowMs, maxLiveBatches, jobs, chunks, planOf, fail });
    const lives = { jobs, chunks, removed, workers };
    this.liveness = new Liveness({ nowMs, sweepIntervalMs, ...lives, fail });
  }

  /** An object was created; most are no events. Never throws: a store's caller would hear it. */
  created(process: SimulatedProcess, name: string, bytes: Uint8Array): void {
    try {
      this.#created(process, name, bytes);
    } catch (error) {
      this.#fail(`the audit of ${name}: ${String(error)}`);
    }
  }

  #created(process: SimulatedProcess, name: string, bytes: Uint8Array): void {
    const match = ENTRY.exec(name);
    if (match === null) return;
    const [, job = '', stream = '', digits = ''] = match;
    // A step that slept through the removal of its job leaves an entry that nobody reads.
    if (this.removed.has(job)) return;
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

  /** A file is uploaded now: lines of the request sets, each byte for byte and once. */
  uploading(bytes: Buffer): void {
    const lines = bytes.toString().split('\n').slice(0, -1);
    const foreign = lines.find((line) => !this.#requestLines.has(line));
    this.#require(foreign === undefined, `${foreign} is sent and stands in no request set`);
    this.#require(new Set(lines).size === lines.length, `a line is sent twice in one file`);
  }

  /** A file at the provider is deleted now. */
  deletingRemote(fileId: string): void {
    const known = { jobs: this.jobs, chunks: this.chunks, givenUp: this.#givenUp };
    const kept = keepsRemote(fileId, known);
    if (kept !== null) this.#fail(kept);
  }

  /** An object, or all below a folder, is deleted now. */
  deletingLocal(name: string): void {
    const known = { jobs: this.jobs, chunks: this.chunks, givenUp: this.#givenUp };
    const kept = keepsLocal(name, known);
    if (kept !== null) this.#fail(kept);
  }

  /** The fewest attempts that the options of the job ever allowed. */
  fewestAttempts(job: string): number {
    return this.#fewest.get(job) ?? 0;
  }

  /** When the job got its result. */
  mergedAtMs(job: string): number {
    return this.#mergedAtMs.get(job) ?? 0;
  }

  #jobEvent(job: string, entry: JournalEntry<JobEvent, JobState>): void {
    const { event, state } = entry;
    this.#count(event.type);
    const before = this.jobs.get(job);
    const folded = applyToJob(before ?? null, event);
    const back = before === undefined ? null : jobStepsBack(before, state);
    this.#require(back === null, `${job} ${event.type}: ${back}`);
    this.#require(isDeepStrictEqual(folded, state), `${job} ${event.type}: not what it folds to`);
    this.jobs.set(job, state);
    this.liveness.moved(job);
    this.conduct.jobMoved(job, event);
    const { maxAttempts } = state.options;
    this.#allowed.set(job, Math.max(maxAttempts, this.#allowed.get(job) ?? 0));
    this.#fewest.set(job, Math.min(maxAttempts, this.#fewest.get(job) ?? Infinity));
    if (event.type === 'created') this.#takeLines(event.spec.source);
    if (event.type === 'merged') {
      this.#mergedAtMs.set(job, this.#nowMs());
      this.#resultIsThere(job, event.result.sha256);
      const states = [...this.chunks].filter(([key]) => key.startsWith(`${job}/`));
      const open = states.filter(([, { status }]) => status !== 'settled').map(([key]) => key);
      this.#require(open.length === 0, `${job} is merged while ${open.join()} is not settled`);
    }
    if (isTerminal(state)) this.#nothingLive(job);
  }

  #takeLines(source: JobSource): void {
    const files =
      source.kind === 'batches'
        ? source.batches.map(({ fileId }) => this.#provider.files.get(fileId)?.bytes ?? '')
        : [this.#files(source.location)];
    for (const line of files.flatMap((bytes) => bytes.toString().split('\n'))) {
      if (line !== '' && !line.includes('"reject":true')) this.#requestLines.add(line);
    }
  }

  /** What is recorded as merged lies in the store, whole. */
  #resultIsThere(job: string, sha256: string): void {
    const result = this.#objects(resultName(job as JobId));
    const actual = createHash('sha256').update(result).digest('hex');
    this.#require(actual === sha256, `${job} is merged to something else`);
    const manifest = this.#objects(manifestName(job as JobId)).toString();
    this.#require(manifest.includes(sha256), `the manifest of ${job} is of another result`);
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
    const before = this.chunks.get(key) ?? this.#fresh(key, job, event);
    const folded = applyToChunk(before, event);
    this.#require(isDeepStrictEqual(folded, state), `${key} ${event.type}: not what it folds to`);
    const back = chunkStepsBack(before, state);
    this.#require(back === null, `${key} ${event.type}: ${back}`);
    this.chunks.set(key, state);
    this.liveness.moved(job);
    this.conduct.chunkMoved(key, event.type, state);
    if (state.status === 'abandoning') this.#givenUp.add(state.attempt.upload.fileId);
    if (event.type === 'submitting') {
      this.#winners.set(event.attemptId, process);
      this.#decidedAtMs.set(event.attemptId, this.#nowMs());
      const allowed = this.#allowed.get(job) ?? 0;
      this.#require(state.executed < allowed, `${key} goes beyond ${allowed} attempts`);
    }
    if (event.type === 'submitted' || event.type === 'taken_over')
      this.#submitted(key, event.batchId, state);
    if (event.type === 'abandoned') {
      const mayStay = state.intent.kind === 'cancel';
      for (const given of state.abandoned.slice(-1)) this.#abandoned(key, given, mayStay);
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

  /** Nothing is given up too soon, or, where more follows, while its file could be used. */
  #abandoned(key: string, given: AbandonedAttempt, mayStay: boolean): void {
    const { attemptId, fileId } = given;
    const sinceMs = this.#nowMs() - (this.#decidedAtMs.get(attemptId) ?? 0);
    this.#require(sinceMs >= SETTLE_MS, `${key} is given up after ${Math.round(sinceMs)} ms`);
    const isGone = this.#provider.givenUp(fileId);
    this.#require(isGone || mayStay, `${key} is given up, but ${fileId} is there`);
  }

  /** What is taken over is known before there is a plan. */
  #fresh(key: string, job: string, event: ChunkEvent): ChunkState {
    if (event.type === 'taken_over') return freshChunk(event.attempt.upload.requests);
    const chunk = this.#planOf(job).chunks.find(({ id }) => key.endsWith(id));
    return freshChunk(chunk?.requests ?? -1);
  }

  #planOf(job: string): Plan {
    const plan =
      this.#plans.get(job) ??
      (JSON.parse(this.#objects(planName(job as JobId)).toString()) as Plan);
    this.#plans.set(job, plan);
    return plan;
  }

  #count(type: string): void {
    this.counts.set(type, (this.counts.get(type) ?? 0) + 1);
  }

  #require(condition: boolean, violation: string): void {
    if (!condition) this.#fail(violation);
  }
}
