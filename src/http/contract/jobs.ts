/** Jobs on the own API: submitting, looking, and what may be done to them. */

import { z } from 'zod';
import { chunkList, job, jobList, metadata, planned, removed } from './job-shapes.ts';
import { fault } from './problem.ts';
import { defineRoute, flagInQuery, NO_QUERY, wholeInQuery } from './route.ts';

/** Content types of a request set that is sent as it is. */
export const JSONL_TYPES = ['application/jsonl', 'application/x-ndjson'] as const;

const endpoint = z
  .enum([
    '/v1/chat/completions',
    '/v1/responses',
    '/v1/embeddings',
    '/v1/completions',
    '/v1/moderations',
  ])
  .describe('For lines without a url.');

const name = z.string().min(1).max(200).describe('For people.');
const model = z.string().min(1).max(200).describe('For lines without body.model.');
const onInvalid = z
  .enum(['fail', 'skip'])
  .describe('fail: a bad line keeps everything from being sent; skip: it is answered by an error.');
const callbackUrl = z.string().min(1).max(2_048).describe('Is told when the job is over.');

const JOB_PARAM = { job: 'The job’s id.' };
const QUEUE_AWAY = fault('No job is taken now; nothing was kept of the call.');
const UNKNOWN = { 404: fault('There is no such job.') };

const common = { tag: 'Jobs', access: 'tenant', dialect: 'own' } as const;

export const createJob = defineRoute({
  ...common,
  operation: 'createJob',
  method: 'post',
  path: '/v1/jobs',
  summary: 'Submit a request set',
  description:
    'The request set is the body (JSONL, as it is or gzipped with Content-Encoding: gzip), and ' +
    'the options stand in the query; or the body is JSON that names an uploaded file. When 202 ' +
    'comes, bytes and job are on the disk.',
  headers: {
    'Idempotency-Key':
      'The same key with the same content is the same job; with other content it is refused.',
  },
  query: z.strictObject({
    name: name.optional(),
    endpoint: endpoint.optional(),
    model: model.optional(),
    on_invalid: onInvalid.optional(),
    max_attempts: wholeInQuery(1, 100).optional().describe('Batches per chunk; default 3.'),
    max_requests: wholeInQuery(1, 1_000_000).optional().describe('Requests per chunk.'),
    max_bytes: wholeInQuery(1, 1_000_000_000).optional().describe('Bytes per chunk.'),
    callback_url: callbackUrl.optional(),
    metadata: metadata.optional(),
    dry_run: flagInQuery.optional().describe('Check and plan only; nothing is kept or sent.'),
  }),
  body: {
    streams: JSONL_TYPES,
    json: z.strictObject({
      input_file_id: z.string().describe('An uploaded file.'),
      name: name.optional(),
      endpoint: endpoint.optional(),
      model: model.optional(),
      on_invalid: onInvalid.optional(),
      max_attempts: z.int().min(1).max(100).optional(),
      max_requests: z.int().min(1).max(1_000_000).optional(),
      max_bytes: z.int().min(1).max(1_000_000_000).optional(),
      callback_url: callbackUrl.optional(),
      metadata: metadata.optional(),
      dry_run: z.boolean().optional(),
    }),
  },
  answers: {
    200: { description: 'What would be sent (dry_run).', schema: planned },
    202: { description: 'The job; Location names it.', schema: job },
    400: fault('Something about the call or a line of the request set is wrong.'),
    404: fault('There is no such file.'),
    409: fault('The idempotency key was used for something else.'),
    413: fault('The body is larger than what is taken, or your share of the disk is used up.'),
    503: QUEUE_AWAY,
    507: fault('There is no room.'),
  },
});

export const listJobs = defineRoute({
  ...common,
  operation: 'listJobs',
  method: 'get',
  path: '/v1/jobs',
  summary: 'List jobs, the newest first',
  query: z.strictObject({
    after: z.string().max(100).optional().describe('The `next` of the page before.'),
    limit: wholeInQuery(1, 100).optional().describe('Default 20.'),
    status: z.string().max(200).optional().describe('One status, or several with commas.'),
  }),
  answers: { 200: { description: 'A page of jobs.', schema: jobList } },
});

export const getJob = defineRoute({
  ...common,
  operation: 'getJob',
  method: 'get',
  path: '/v1/jobs/{job}',
  summary: 'Look at a job',
  params: JOB_PARAM,
  query: NO_QUERY,
  answers: { 200: { description: 'The job.', schema: job }, ...UNKNOWN },
});

export const listChunks = defineRoute({
  ...common,
  operation: 'listChunks',
  method: 'get',
  path: '/v1/jobs/{job}/chunks',
  summary: 'List the chunks of a job',
  params: JOB_PARAM,
  query: z.strictObject({
    after: z.string().max(100).optional(),
    limit: wholeInQuery(1, 1_000).optional().describe('Default 100.'),
  }),
  answers: { 200: { description: 'A page of chunks.', schema: chunkList }, ...UNKNOWN },
});

export const cancelJob = wishRoute(
  'cancelJob',
  'cancel',
  'Cancel a job: what is answered is kept, the rest is answered by errors',
);
export const pauseJob = wishRoute(
  'pauseJob',
  'pause',
  'Send nothing more until it is resumed; batches that are alive go on',
);
export const resumeJob = wishRoute('resumeJob', 'resume', 'Let a paused job go on');

export const retryJob = defineRoute({
  ...common,
  operation: 'retryJob',
  method: 'post',
  path: '/v1/jobs/{job}/retry',
  summary: 'Make a new job of the failed requests',
  params: JOB_PARAM,
  query: NO_QUERY,
  body: {
    optional: true,
    json: z.strictObject({
      classes: z
        .array(z.string().min(1).max(100))
        .min(1)
        .max(100)
        .optional()
        .describe('Classes of /errors; default: those that may succeed when asked again.'),
      all: z.boolean().optional().describe('Every failed request that was sent.'),
    }),
  },
  answers: {
    202: { description: 'The new job, or the one of the same retry.', schema: job },
    409: fault('The job is not over, or nothing of it is to be asked again.'),
    413: fault('Your share of the disk is used up.'),
    503: QUEUE_AWAY,
    507: fault('There is no room.'),
    ...UNKNOWN,
  },
});

export const removeJob = defineRoute({
  ...common,
  operation: 'removeJob',
  method: 'delete',
  path: '/v1/jobs/{job}',
  summary: 'Delete a job that is over, with its requests and its result',
  params: JOB_PARAM,
  query: NO_QUERY,
  answers: {
    200: { description: 'It is gone.', schema: removed },
    409: fault('The job is not over: cancel it first.'),
    ...UNKNOWN,
  },
});

function wishRoute(operation: string, wish: string, summary: string) {
  return defineRoute({
    ...common,
    operation,
    method: 'post',
    path: `/v1/jobs/{job}/${wish}`,
    summary,
    params: JOB_PARAM,
    query: NO_QUERY,
    // Nothing can be wished of how it is done: what stands in a body is meant for something else.
    body: { optional: true, json: z.strictObject({}) },
    answers: {
      200: { description: 'The job as it is then.', schema: job },
      409: fault('The job is over.'),
      ...UNKNOWN,
    },
  });
}
