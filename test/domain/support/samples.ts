/** One of every state and of every event, all of the same job, chunk, attempt and batch. */

import type {
  ChunkEvent,
  ChunkState,
  CollectedAttempt,
  EndedBatch,
} from '../../../src/domain/chunk.ts';
import { freshChunk } from '../../../src/domain/chunk.ts';
import type { JobId } from '../../../src/domain/ids.ts';
import type {
  JobEvent,
  JobSource,
  JobSpec,
  JobState,
  PlanReference,
  ResultRecord,
} from '../../../src/domain/job.ts';

export const UPLOAD = {
  fileId: 'file-1',
  sha256: 'aa',
  sizeBytes: 100,
  requests: 3,
  createdAtMs: 1_000,
};
export const ATTEMPT = { number: 1, upload: UPLOAD };
export const DECIDED = { ...ATTEMPT, attemptId: 'attempt-1' };

export const ENDED: EndedBatch = {
  batchId: 'batch_1',
  status: 'completed',
  outputFileId: 'file-out',
  errorFileId: null,
  counts: { completed: 3, failed: 0 },
  errors: [],
};

export const COLLECTED: CollectedAttempt = {
  number: 1,
  batchId: 'batch_1',
  status: 'completed',
  stray: false,
  requests: 3,
  folder: '1-abc',
  hasOutput: true,
  hasErrors: false,
  errors: [],
};

export const PART = {
  lines: 3,
  succeeded: 3,
  failed: 0,
  rejected: 0,
  sizeBytes: 30,
  crc32: 'bb',
  byClass: {},
  usage: {},
  strangers: 0,
  unparsable: 0,
  duplicates: 0,
  conflicts: 0,
};

export const TALLY = { succeeded: 2, failed: 0, pending: 1 };
export const HOLD = { kind: 'hold', revision: 1, code: 'unauthorized', message: 'no key' } as const;
export const CANCEL = { kind: 'cancel', revision: 1 } as const;
export const STRAY = { batchId: 'batch_late', number: 1 };

const { status: _status, ...COMMON } = freshChunk(3);
const MADE = { ...COMMON, nextAttempt: 2, files: ['file-1'] };

/** A chunk of three requests in the status. */
export function chunkIn<Status extends ChunkState['status']>(
  status: Status,
  changes: Partial<ChunkState> = {},
): Extract<ChunkState, { status: Status }> {
  const states: { [Name in ChunkState['status']]: ChunkState } = {
    waiting: freshChunk(3),
    uploaded: { ...MADE, status: 'uploaded', attempt: ATTEMPT, pauseMs: 0, reason: '' },
    submitting: { ...MADE, status: 'submitting', attempt: DECIDED },
    abandoning: { ...MADE, status: 'abandoning', attempt: DECIDED, account: 'own' },
    submitted: { ...MADE, status: 'submitted', attempt: DECIDED, batchId: 'batch_1' },
    ended: { ...MADE, status: 'ended', attempt: DECIDED, batch: ENDED },
    settling: { ...MADE, status: 'settling', close: null },
    settled: { ...MADE, status: 'settled', part: PART },
  };
  return { ...states[status], ...changes } as Extract<ChunkState, { status: Status }>;
}

export const CHUNK_STATUSES = [
  'waiting',
  'uploaded',
  'submitting',
  'abandoning',
  'submitted',
  'ended',
  'settling',
  'settled',
] as const;

const AGAIN = { kind: 'again', pauseMs: 5, reason: 'again' } as const;

export const CHUNK_EVENTS: { readonly [Type in ChunkEvent['type']]: ChunkEvent & { type: Type } } =
  {
    taken_over: {
      type: 'taken_over',
      attempt: DECIDED,
      batchId: 'batch_1',
      strays: [],
      files: ['file-1'],
    },
    uploaded: { type: 'uploaded', attempt: ATTEMPT },
    submitting: { type: 'submitting', attemptId: 'attempt-1' },
    unsent: { type: 'unsent', attemptId: 'attempt-1', pauseMs: 7, reason: 'rate limit' },
    file_lost: { type: 'file_lost', fileId: 'file-1', pauseMs: 3, reason: 'gone' },
    submitted: { type: 'submitted', attemptId: 'attempt-1', batchId: 'batch_1', adopted: false },
    abandoning: { type: 'abandoning', attemptId: 'attempt-1', account: 'own' },
    abandoned: { type: 'abandoned', attemptId: 'attempt-1', pauseMs: 0 },
    ended: { type: 'ended', batch: ENDED },
    collected: {
      type: 'collected',
      attempt: COLLECTED,
      files: ['file-out'],
      tally: TALLY,
      burned: 'executed',
      next: AGAIN,
    },
    drained: { type: 'drained', close: null },
    stray_found: { type: 'stray_found', stray: STRAY },
    stray_collected: {
      close: null,
      type: 'stray_collected',
      attempt: { ...COLLECTED, batchId: STRAY.batchId, stray: true },
      files: [],
      tally: TALLY,
    },
    intended: { type: 'intended', intent: HOLD },
    settled: { type: 'settled', part: PART },
  };

export const JOB = `job_${'0'.repeat(26)}` as JobId;

export const SOURCE = {
  kind: 'path',
  location: '/requests.jsonl',
  encoding: 'identity',
  sizeBytes: 10,
  sha256: 'cc',
} as const satisfies JobSource;

export const SPEC: JobSpec = {
  id: JOB,
  createdAtMs: 0,
  runKey: 'key',
  name: 'requests.jsonl',
  source: SOURCE,
  defaults: { endpoint: null, model: null },
  limits: { maxRequests: 10, maxBytes: 1_000, maxInputs: 10, maxLineBytes: 1_000 },
  onInvalid: 'fail',
  provider: { baseUrl: 'http://provider.test/v1', organization: null, project: null },
  completionWindow: '24h',
};

export const OPTIONS = { maxAttempts: 3, maxErrors: null };

export const PLAN: PlanReference = {
  endpoint: '/v1/embeddings',
  models: ['m'],
  counts: { lines: 3, blank: 0, requests: 3, rejected: 0, insertedIds: 0 },
  idsDigest: 'dd',
  source: { sizeBytes: 10, sha256: 'cc' },
  sha256: 'ee',
  chunkCount: 1,
};

export const RESULT: ResultRecord = {
  sha256: 'ff',
  sizeBytes: 30,
  lines: 3,
  succeeded: 3,
  failed: 0,
  rejected: 0,
};

const REFUSAL = { code: 'invalid_lines', message: '1 line', rejected: [], rejectedTotal: 1 };
const JOB_COMMON = {
  spec: SPEC,
  options: OPTIONS,
  intent: { kind: 'run', revision: 0 },
  spreadRevision: 0,
} as const;

/** The job in the status. */
export function jobIn(status: JobState['status'], changes: Partial<JobState> = {}): JobState {
  const states: { [Name in JobState['status']]: JobState } = {
    created: { ...JOB_COMMON, status: 'created' },
    refused: { ...JOB_COMMON, status: 'refused', refusal: REFUSAL },
    planned: { ...JOB_COMMON, status: 'planned', plan: PLAN },
    merged: { ...JOB_COMMON, status: 'merged', plan: PLAN, result: RESULT },
    done: { ...JOB_COMMON, status: 'done', plan: PLAN, result: RESULT, filesLeft: 0 },
  };
  return { ...states[status], ...changes } as JobState;
}

export const JOB_STATUSES = ['created', 'refused', 'planned', 'merged', 'done'] as const;

export const JOB_EVENTS: { readonly [Type in JobEvent['type']]: JobEvent & { type: Type } } = {
  created: { type: 'created', spec: SPEC, options: OPTIONS, unconfirmed: false },
  refused: { type: 'refused', refusal: REFUSAL },
  planned: { type: 'planned', plan: PLAN },
  adjusted: { type: 'adjusted', options: { maxAttempts: 5, maxErrors: null } },
  wished: { type: 'wished', wish: { kind: 'cancel' } },
  spread: { type: 'spread', revision: 1 },
  merged: { type: 'merged', result: RESULT },
  cleaned: { type: 'cleaned', filesLeft: 0 },
};
