/** `/v1/batches`: a batch is a job whose request set was uploaded as a file. */

import type { z } from 'zod';
import { Refusal } from '../../domain/errors.ts';
import type { JobId } from '../../domain/ids.ts';
import type { JobState } from '../../domain/job.ts';
import type { Desk, Order } from '../../service/desk.ts';
import { placeOf } from '../../service/file-places.ts';
import type { TenantFiles, UploadedSource } from '../../service/tenant-files.ts';
import type { Mounted } from '../call.ts';
import { mount } from '../call.ts';
import { cancelBatch, createBatch, getBatch, listBatches } from '../contract/openai.ts';
import { Problem } from '../problem.ts';
import type { BatchSources } from './batch-view.ts';
import { batchView, jobOfBatch } from './batch-view.ts';
import { idempotencyKeyOf } from '../idempotency-key.ts';
import type { Caller, WithRoom } from '../make-job.ts';
import { makeJobOfFile } from '../make-job.ts';
import { pageBody } from './page.ts';
import { isSameBatch, RepeatedCreates } from './repeated-create.ts';

export interface BatchParts extends BatchSources {
  readonly files: TenantFiles;
  /** A new id for a job. */
  readonly newJob: () => JobId;
  /** Throws a Problem where no job can be taken now. */
  readonly requireReady: () => Promise<void>;
  readonly withRoom: WithRoom;
}

type Wishes = z.output<NonNullable<NonNullable<typeof createBatch.body>['json']>>;

const DEFAULT_LIMIT = 20;

/** Batches that may execute for one chunk. */
const MAX_ATTEMPTS = 3;

export function batchRoutes(parts: BatchParts): Mounted[] {
  const creates = new RepeatedCreates();
  return [
    mount(createBatch, async (call) => {
      const { desk, json, request } = call;
      if (json === null) throw notJson();
      await parts.requireReady();
      const source = await requireInput(json.input_file_id, desk, parts.files);
      const key = idempotencyKeyOf(request);
      const order = orderOf(json, source, parts.newJob(), key);
      const state = await creates.once(call, order, () => make(call, order, parts.withRoom));
      return { status: 200, json: await batchView(state, parts) };
    }),
    mount(listBatches, async ({ desk, query }) => {
      const after = query.after === undefined ? null : jobOfBatch(query.after);
      if (after === null && query.after !== undefined) throw unknownCursor();
      const limit = query.limit ?? DEFAULT_LIMIT;
      const page = await desk.list({ after, limit, order: 'newest', statuses: null });
      const data = [];
      for (const state of page.jobs) data.push(await batchView(state, parts));
      return { status: 200, json: pageBody(data, page.hasMore) };
    }),
    mount(getBatch, async ({ desk, param }) => {
      const state = await requireBatch(param('batch'), desk);
      return { status: 200, json: await batchView(state, parts) };
    }),
    mount(cancelBatch, async ({ desk, param }) => {
      const state = await requireBatch(param('batch'), desk);
      return { status: 200, json: await cancelled(state, desk, parts) };
    }),
  ];
}

/**
 * OpenAI takes an unknown file and fails the batch a moment later. Here that is an error at once:
 * a client learns of it where it made the mistake, and there is no batch to look after.
 */
async function requireInput(id: string, desk: Desk, files: TenantFiles): Promise<UploadedSource> {
  const source = await files.source(desk, id);
  if (source !== null) return source;
  const kind = placeOf(id)?.kind;
  if (kind !== undefined && kind !== 'uploaded' && (await files.get(desk, id)) !== null) {
    const message = `The file '${id}' has the purpose 'batch_output'; upload one for 'batch'.`;
    throw inputFault('invalid_value', message);
  }
  const shown = id.slice(0, 60);
  const message = `Cannot find file '${shown}', or your key does not have access to it.`;
  throw inputFault('file_not_found', message);
}

/** Makes the batch, or finds the one of the same idempotency key. */
async function make(caller: Caller, order: Order, withRoom: WithRoom): Promise<JobState> {
  const { job, attached } = await makeJobOfFile(caller, order, withRoom);
  const state = await caller.desk.job(job);
  if (!attached || isSameBatch(state, order)) return state;
  const message = 'Keys for idempotent requests can only be used with the same parameters.';
  const headers = { 'x-should-retry': 'false' };
  throw new Problem({ status: 409, code: 'idempotency_conflict', message, headers });
}

function orderOf(
  wishes: Wishes,
  { id, name, source }: UploadedSource,
  job: JobId,
  idempotencyKey: string | null,
): Order {
  return {
    job,
    name,
    source,
    defaults: { endpoint: wishes.endpoint, model: null, isStrict: true },
    limits: {},
    onInvalid: 'fail',
    options: { maxAttempts: MAX_ATTEMPTS, maxErrors: null },
    terms: {
      metadata: wishes.metadata ?? {},
      callbackUrl: null,
      inputFile: id,
      outputExpiresAfterSeconds: wishes.output_expires_after?.seconds ?? null,
      retryOf: null,
    },
    idempotencyKey,
  };
}

async function requireBatch(id: string, desk: Desk): Promise<JobState> {
  const job = jobOfBatch(id);
  try {
    if (job !== null) return await desk.job(job);
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== 'unknown_job') throw error;
  }
  const message = `No batch found with id '${id.slice(0, 60)}'.`;
  throw new Problem({ status: 404, code: 'not_found', message });
}

async function cancelled(state: JobState, desk: Desk, parts: BatchParts) {
  try {
    return await batchView(await desk.cancel(state), parts);
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== 'already_over') throw error;
  }
  // It may have ended since it was looked at.
  const batch = await batchView(await desk.job(state.spec.id), parts);
  if (batch.status === 'cancelled' || batch.status === 'cancelling') return batch;
  const message = `Cannot cancel a batch with status '${batch.status}'.`;
  // OpenAI's SDKs repeat what is answered with 409, unless they are told that it is of no use.
  const headers = { 'x-should-retry': 'false' };
  throw new Problem({ status: 409, code: 'batch_already_over', message, headers });
}

function unknownCursor(): Problem {
  const message = "Invalid 'after': it is not the id of a batch.";
  return new Problem({ status: 400, code: 'invalid_value', message, param: 'after' });
}

function notJson(): Problem {
  return new Problem({ status: 400, code: 'invalid_json', message: 'Send the batch as JSON.' });
}

function inputFault(code: string, message: string): Problem {
  return new Problem({ status: 400, code, message, param: 'input_file_id' });
}
