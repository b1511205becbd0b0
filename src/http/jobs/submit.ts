/** `POST /v1/jobs`: a request set comes in, as the body or as an uploaded file, and is a job. */

import type { z } from 'zod';
import { Refusal } from '../../domain/errors.ts';
import type { FileId, JobId } from '../../domain/ids.ts';
import type { JobOptions, JobState, JobTerms, StoredSource } from '../../domain/job.ts';
import type { UploadedSource } from '../../service/tenant-files.ts';
import type { Desk, Order } from '../../service/desk.ts';
import { isSameOrder } from '../../service/desk.ts';
import type { JobReports } from '../../service/job-reports.ts';
import type { Submitted } from '../../service/jobs.ts';
import type { PlanOutcome, RequestSets } from '../../service/request-sets.ts';
import type { Call, Mounted, Reply } from '../call.ts';
import { mount } from '../call.ts';
import { createJob } from '../contract/jobs.ts';
import { idempotencyKeyOf } from '../idempotency-key.ts';
import type { TakenBody } from '../intake.ts';
import type { WithRoom } from '../make-job.ts';
import { makeJob, makeJobOfFile } from '../make-job.ts';
import { Problem } from '../problem.ts';
import type { ScanTurns } from '../scan-turns.ts';
import { jobBody } from './job-body.ts';

/** Batches that may execute for one chunk, where nobody says. */
const DEFAULT_ATTEMPTS = 3;

export interface SubmitParts {
  readonly reports: JobReports;
  readonly sets: RequestSets;
  readonly scans: ScanTurns;
  /**
   * Takes the body of a call into a file in the folder and hands it on; its bytes count for the
   * tenant until `use` has stored them, or is done with them. Throws Problems.
   */
  readonly take: <Value>(
    call: Call<unknown, unknown>,
    into: { readonly folder: string; readonly keeps: boolean },
    use: (body: TakenBody) => Promise<Value>,
  ) => Promise<Value>;
  /** The uploaded file as a source, with its name and its local path. Refuses what is not there. */
  readonly uploaded: (desk: Desk, fileId: string) => Promise<UploadedSource>;
  /** Throws a Problem where no job can be taken now. */
  readonly requireReady: () => Promise<void>;
  readonly withRoom: WithRoom;
  /** Rejects with a Problem where the address may not be called. */
  readonly checkCallback: (url: string) => Promise<void>;
}

type Wishes = z.output<typeof createJob.query>;
type CreateCall = Call<Wishes, z.output<NonNullable<NonNullable<typeof createJob.body>['json']>>>;

export function submitRoutes(parts: SubmitParts): Mounted[] {
  return [
    mount(createJob, async (call) => {
      const { json, query } = call;
      const key = idempotencyKeyOf(call.request);
      if (json === null) return submitBody(call, query, key, parts);
      if (Object.keys(query).length > 0) {
        const message = 'With a JSON body the options stand in it, not in the query.';
        throw new Problem({ status: 400, code: 'options_in_query', message });
      }
      const { input_file_id: fileId, ...wishes } = json;
      return submitFile(call, fileId, wishes, key, parts);
    }),
  ];
}

async function submitBody(
  call: CreateCall,
  wishes: Wishes,
  key: string | null,
  parts: SubmitParts,
): Promise<Reply> {
  const keeps = wishes.dry_run !== true;
  await checkWishes(wishes, parts);
  if (keeps) await parts.requireReady();
  return parts.sets.inFolder((folder) =>
    parts.take(call, { folder, keeps }, (body) =>
      keeps ? submitTaken(call, body, wishes, key, parts) : preview(call, body.path, wishes, parts),
    ),
  );
}

async function submitTaken(
  call: CreateCall,
  { path, sizeBytes }: TakenBody,
  wishes: Wishes,
  key: string | null,
  parts: SubmitParts,
): Promise<Reply> {
  const { sets } = parts;
  const job = sets.newJob();
  try {
    const source = await sets.keep(job, path, sizeBytes);
    const order = orderOf(job, source, 'request set', null, wishes, key);
    return await submitted(call, order, await makeJob(call, order), parts);
  } catch (error) {
    await dropUnmade(call, job, sets);
    throw error;
  }
}

async function submitFile(
  call: CreateCall,
  fileId: string,
  wishes: Wishes,
  key: string | null,
  parts: SubmitParts,
): Promise<Reply> {
  await checkWishes(wishes, parts);
  const file = await parts.uploaded(call.desk, fileId);
  if (wishes.dry_run === true) return preview(call, file.path, wishes, parts);
  await parts.requireReady();
  const job = parts.sets.newJob();
  const order = orderOf(job, file.source, file.name, file.id, wishes, key);
  return submitted(call, order, await makeJobOfFile(call, order, parts.withRoom), parts);
}

/** A rejected submission may have made its job all the same: then the job keeps what is its. */
async function dropUnmade({ desk }: CreateCall, job: JobId, sets: RequestSets): Promise<void> {
  const isUnmade = await desk.job(job).then(
    () => false,
    (error: unknown) => error instanceof Refusal && error.code === 'unknown_job',
  );
  if (isUnmade) await sets.drop(job);
}

async function submitted(
  call: CreateCall,
  order: Order,
  { job, attached }: Submitted,
  parts: SubmitParts,
): Promise<Reply> {
  const state = await call.desk.job(job);
  if (attached) {
    try {
      await requireSame(state, order, call.desk, parts.sets);
    } finally {
      await parts.sets.drop(order.job);
    }
  }
  const body = jobBody(await parts.reports.report(state));
  return { status: 202, json: body, headers: { location: `/v1/jobs/${job}` } };
}

/** The same key has to stand for the same call. */
async function requireSame(
  state: JobState,
  order: Order,
  desk: Desk,
  sets: RequestSets,
): Promise<void> {
  const load = (): Promise<JobState> => desk.job(state.spec.id);
  if (isSameOrder(state, order) && (await sets.isSame(state, order.source, load))) return;
  const message = `The Idempotency-Key was used for another request set or other options; that made
    ${state.spec.id}. Use a new key for a new job.`;
  throw new Problem({
    status: 409,
    code: 'idempotency_conflict',
    message: message.replace(/\s+/g, ' '),
  });
}

function orderOf(
  job: JobId,
  source: StoredSource,
  name: string,
  inputFile: FileId | null,
  wishes: Wishes,
  idempotencyKey: string | null,
): Order {
  const options: JobOptions = {
    maxAttempts: wishes.max_attempts ?? DEFAULT_ATTEMPTS,
    maxErrors: null,
  };
  const terms: Omit<JobTerms, 'tenant'> = {
    metadata: wishes.metadata ?? {},
    callbackUrl: wishes.callback_url ?? null,
    inputFile,
    outputExpiresAfterSeconds: null,
    retryOf: null,
  };
  const { defaults, limits, onInvalid } = readingOf(wishes);
  const shown = wishes.name ?? name;
  return { job, name: shown, source, defaults, limits, onInvalid, options, terms, idempotencyKey };
}

function readingOf(wishes: Wishes) {
  return {
    defaults: { endpoint: wishes.endpoint ?? null, model: wishes.model ?? null },
    limits: { maxRequests: wishes.max_requests, maxBytes: wishes.max_bytes },
    onInvalid: wishes.on_invalid ?? ('fail' as const),
  };
}

async function checkWishes(
  { callback_url: url }: Pick<Wishes, 'callback_url'>,
  { checkCallback }: SubmitParts,
): Promise<void> {
  if (url !== undefined) await checkCallback(url);
}

async function preview(
  call: CreateCall,
  path: string,
  wishes: Wishes,
  { sets, scans }: SubmitParts,
): Promise<Reply> {
  const outcome = await scans.within(call, () => sets.preview(path, readingOf(wishes)));
  return { status: 200, json: previewBody(outcome) };
}

function previewBody(outcome: PlanOutcome) {
  const isPlanned = outcome.kind === 'planned';
  const counts = isPlanned ? outcome.plan.counts : outcome.counts;
  const { lines, blank, requests, rejected } = counts;
  return {
    object: 'plan',
    endpoint: isPlanned ? outcome.plan.endpoint : null,
    models: isPlanned ? outcome.plan.models : [],
    counts: { lines, blank, requests, rejected },
    chunks: isPlanned ? outcome.plan.chunks.length : 0,
    errors: outcome.rejected,
    errors_total: isPlanned ? rejected : outcome.rejectedTotal,
    would_be_sent: isPlanned,
  };
}
