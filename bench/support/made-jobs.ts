/** Jobs written straight into a store's folder, folded from events as real steps append them. */

import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { encodeEntry } from '../../src/adapters/blob/journal-entry.ts';
import type { ChunkEvent, EndedBatch, PartRecord } from '../../src/domain/chunk.ts';
import { freshChunk } from '../../src/domain/chunk.ts';
import { invariant } from '../../src/domain/errors.ts';
import { chunkIdOf, type JobId } from '../../src/domain/ids.ts';
import type { JobEvent, JobSpec, JobState, ProviderIdentity } from '../../src/domain/job.ts';
import type { Plan, PlannedChunk } from '../../src/domain/plan.ts';
import { applyToChunk, applyToJob } from '../../src/domain/transitions.ts';
import {
  chunkStreamName,
  jobStreamName,
  keyName,
  openName,
  planName,
  settledName,
} from '../../src/stages/names.ts';

export interface MadeJob {
  readonly job: string;
  readonly settled: number;
  readonly live: number;
}

/** A pause that the provider asked for, in the last chunk. */
export interface MadePause {
  readonly pauseMs: number;
  /** Wall time at which it began. */
  readonly atMs: number;
}

/** A moment ago: nothing is overdue. */
const MADE_AT_MS = Date.now();
const REQUESTS = 50_000;
const LIMITS = { maxRequests: 50_000, maxBytes: 2e8, maxInputs: 50_000, maxLineBytes: 1e7 };
const SHA256 = 'a'.repeat(64);

/** A running job: half of its chunks are settled, a tenth has a live batch, the rest waits. */
export function writeLiveJob(
  root: string,
  chunks: number,
  provider: ProviderIdentity,
  pause: MadePause | null = null,
): MadeJob {
  const spec = specOf(0, provider);
  const plan = planOf(chunks);
  write(root, planName(spec.id), JSON.stringify(plan));
  write(root, openName(spec.id), '');
  writeJob(root, [createdEvent(spec), plannedEvent(plan)], spec.id);
  const settled = Math.floor(chunks / 2);
  const live = Math.floor(chunks / 10);
  for (const [index, chunk] of plan.chunks.entries()) {
    const events = index < settled + live ? chunkEvents(index) : [];
    const kept = index < settled ? events : events.slice(0, 3);
    writeStream(root, chunkStreamName(spec.id, chunk.id), freshChunk(REQUESTS), kept, applyToChunk);
    if (pause !== null && index === chunks - 1) writePaused(root, spec.id, index, pause);
    if (index < settled) write(root, settledName(spec.id, chunk.id), JSON.stringify(PART));
  }
  return { job: spec.id, settled, live };
}

/** Jobs that are over. */
export function writeFinishedJobs(root: string, jobs: number, provider: ProviderIdentity): void {
  const plan = planOf(1);
  for (let number = 1; number <= jobs; number += 1) {
    const spec = specOf(number, provider);
    const counts = { lines: 1, succeeded: 1, failed: 0, rejected: 0 };
    const result = { sha256: SHA256, sizeBytes: 1, ...counts };
    const end: JobEvent[] = [
      { type: 'merged', result },
      { type: 'cleaned', filesLeft: 0 },
    ];
    writeJob(root, [createdEvent(spec), plannedEvent(plan), ...end], spec.id);
  }
}

function specOf(number: number, provider: ProviderIdentity): JobSpec {
  return {
    id: `job_${String(number).padStart(26, '0')}` as JobId,
    createdAtMs: MADE_AT_MS + number,
    runKey: createHash('sha256').update(String(number)).digest('hex'),
    name: 'made.jsonl',
    source: {
      kind: 'path',
      location: '/made.jsonl',
      encoding: 'identity',
      sizeBytes: 1,
      sha256: SHA256,
    },
    defaults: { endpoint: '/v1/chat/completions', model: null },
    limits: LIMITS,
    onInvalid: 'fail',
    provider,
    completionWindow: '24h',
  };
}

function planOf(chunks: number): Plan {
  const chunkOf = (index: number): PlannedChunk => ({
    id: chunkIdOf(index),
    model: 'gpt-4o-mini',
    requests: REQUESTS,
    rejected: 0,
    sizeBytes: 1e8,
    inputs: 0,
    firstLine: index * REQUESTS + 1,
    lastLine: (index + 1) * REQUESTS,
  });
  const requests = chunks * REQUESTS;
  return {
    endpoint: '/v1/chat/completions',
    models: ['gpt-4o-mini'],
    chunks: Array.from({ length: chunks }, (_, index) => chunkOf(index)),
    counts: { lines: requests, blank: 0, requests, rejected: 0, insertedIds: 0 },
    source: { sizeBytes: 1, sha256: SHA256 },
    idsDigest: SHA256,
  };
}

function createdEvent(spec: JobSpec): JobEvent {
  const options = { maxAttempts: 3, maxErrors: null };
  return { type: 'created', spec, options, unconfirmed: false };
}

function plannedEvent(plan: Plan): JobEvent {
  const sha256 = createHash('sha256').update(JSON.stringify(plan)).digest('hex');
  const { endpoint, models, counts, idsDigest, source, chunks } = plan;
  const reference = { endpoint, models, counts, idsDigest, source, sha256 };
  return { type: 'planned', plan: { ...reference, chunkCount: chunks.length } };
}

const USAGE = {
  'gpt-4o-mini-2024-07-18': {
    answers: REQUESTS,
    inputTokens: 1e7,
    outputTokens: 1e6,
    totalTokens: 1.1e7,
    cachedTokens: 0,
    reasoningTokens: 0,
  },
};

const PART: PartRecord = {
  lines: REQUESTS,
  succeeded: REQUESTS,
  failed: 0,
  rejected: 0,
  sizeBytes: 5e7,
  crc32: '01234567',
  byClass: { ok: REQUESTS },
  usage: USAGE,
  strangers: 0,
  unparsable: 0,
  duplicates: 0,
  conflicts: 0,
};

/** The whole life of a chunk; the first three events leave it submitted. */
function chunkEvents(index: number): ChunkEvent[] {
  const batchId = `batch_${index}`;
  const fileId = `file-${index}`;
  const file = {
    fileId,
    sha256: SHA256,
    sizeBytes: 1e8,
    requests: REQUESTS,
    createdAtMs: MADE_AT_MS,
  };
  const batch: EndedBatch = {
    batchId,
    status: 'completed',
    outputFileId: `file-out-${index}`,
    errorFileId: null,
    counts: { completed: REQUESTS, failed: 0 },
    errors: [],
  };
  const stored = {
    number: 1,
    batchId,
    status: 'completed',
    stray: false,
    requests: REQUESTS,
  } as const;
  return [
    { type: 'uploaded', attempt: { number: 1, upload: file } },
    { type: 'submitting', attemptId: `attempt-${index}` },
    { type: 'submitted', attemptId: `attempt-${index}`, batchId, adopted: false },
    { type: 'ended', batch },
    {
      type: 'collected',
      attempt: { ...stored, folder: '1-made', hasOutput: true, hasErrors: false, errors: [] },
      files: [`file-out-${index}`],
      tally: { succeeded: REQUESTS, failed: 0, pending: 0 },
      burned: 'executed',
      next: { kind: 'settle', close: null },
    },
    { type: 'settled', part: PART },
  ];
}

function writePaused(root: string, job: JobId, index: number, { pauseMs, atMs }: MadePause): void {
  const attemptId = `attempt-${index}`;
  const unsent: ChunkEvent = { type: 'unsent', attemptId, pauseMs, reason: 'rate limit' };
  const events = [...chunkEvents(index).slice(0, 2), unsent];
  const stream = chunkStreamName(job, chunkIdOf(index));
  writeStream(root, stream, freshChunk(REQUESTS), events, applyToChunk, atMs);
}

function writeJob(root: string, events: readonly JobEvent[], id: JobId): void {
  const [created] = events;
  invariant(created?.type === 'created', 'a job begins with its creation');
  const fold = (state: JobState | null, event: JobEvent) => applyToJob(state, event);
  writeStream<JobState | null, JobEvent>(root, jobStreamName(id), null, events, fold);
  const key = keyName(created.spec.runKey);
  writeStream<unknown, unknown>(root, key, null, [{ job: id }], (_state, event) => event);
}

function writeStream<State, Event>(
  root: string,
  stream: string,
  fresh: State,
  events: readonly Event[],
  fold: (state: State, event: Event) => State | null,
  atMs = MADE_AT_MS,
): void {
  let state = fresh;
  for (const [index, event] of events.entries()) {
    const next = fold(state, event);
    invariant(next !== null, `${stream}: event ${index + 1} fits`);
    state = next;
    const version = index + 1;
    const entry = {
      eventId: 'made',
      version,
      atMs,
      writer: 'bench',
      event,
      state,
    };
    write(root, `${stream}/${String(version).padStart(8, '0')}.json`, encodeEntry(entry));
  }
}

/** Not flushed: what is measured reads only. */
function write(root: string, name: string, content: string | Uint8Array): void {
  const path = join(root, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}
