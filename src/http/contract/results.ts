/** What comes of a job on the own API: its result, what failed, its manifest, its events. */

import { z } from 'zod';
import { fault } from './problem.ts';
import { counts, jobStatuses } from './job-shapes.ts';
import { defineRoute, flagInQuery, NO_QUERY, wholeInQuery } from './route.ts';

const JOB_PARAM = { job: 'The job’s id.' };

const common = {
  tag: 'Results',
  access: 'tenant',
  dialect: 'own',
  method: 'get',
  params: JOB_PARAM,
} as const;

const NOT_THERE = {
  404: fault('There is no such job.'),
  409: fault('There is no result yet (not_finished), or never (no_result).'),
};

export const getResult = defineRoute({
  ...common,
  operation: 'getResult',
  path: '/v1/jobs/{job}/result',
  summary: 'Download the result, or a range of it',
  description:
    'One line for each line of the request set, in its order. The ETag is the sha256 of the ' +
    'whole result, in quotes; with a suffix where only some of its lines are wanted.',
  headers: {
    Range: 'One range of bytes, of what is included.',
    'If-Range': 'The ETag of what was downloaded before: where it is another now, all is sent.',
  },
  query: z.strictObject({
    include: z
      .enum(['all', 'ok', 'failed'])
      .optional()
      .describe('Only lines that were answered (ok), or all others (failed); default all.'),
    partial: flagInQuery
      .optional()
      .describe('Of a job that is not over: the lines of all chunks that are settled, in order.'),
    follow: flagInQuery
      .optional()
      .describe('As chunks settle, every line before which none is missing, until all are there.'),
  }),
  answers: {
    200: { description: 'The lines.', contentType: 'application/jsonl' },
    206: { description: 'A range of the bytes.', contentType: 'application/jsonl' },
    400: fault('partial, follow and include do not go together.'),
    416: fault('The result ends before the range begins.'),
    429: fault('Too many downloads, or too many that follow, at once.'),
    ...NOT_THERE,
  },
});

const failureGroups = z
  .object({
    object: z.literal('failure_groups'),
    failed: z.int().describe('Lines that failed or were rejected, in all.'),
    groups: z.array(
      z.object({
        class: z.string().describe('Short and stable: batch_expired, 400 bad_request …'),
        retryable: z.boolean().describe('Whether asking again may help.'),
        count: z.int(),
        sample_ids: z.array(z.string()).describe('The custom_ids of the first of them.'),
        message: z.string().describe('Of the first of them.'),
      }),
    ),
  })
  .meta({ id: 'FailureGroups' });

const failureList = z
  .object({
    object: z.literal('list'),
    data: z.array(
      z.object({
        object: z.literal('failure'),
        line: z
          .int()
          .describe('Counted from 1 in the result; in the request set where nothing was sent.'),
        custom_id: z.string().nullable(),
        class: z.string(),
        retryable: z.boolean(),
        message: z.string(),
      }),
    ),
    has_more: z.boolean().describe('A page may be short, or empty, and not the last.'),
    next: z.string().nullable().describe('The `after` of the next page.'),
  })
  .meta({ id: 'FailureList' });

export const failures = z.discriminatedUnion('object', [failureGroups, failureList]);

export type FailuresBody = z.infer<typeof failures>;

export const listErrors = defineRoute({
  ...common,
  operation: 'listErrors',
  path: '/v1/jobs/{job}/errors',
  summary: 'See what failed: by class, or line by line',
  description:
    'Of a job that was refused: its first bad lines, with the codes of what is wrong as classes.',
  query: z.strictObject({
    view: z.enum(['groups', 'lines']).optional().describe('Default groups.'),
    class: z.string().min(1).max(100).optional().describe('Only lines of this class.'),
    after: wholeInQuery(0, Number.MAX_SAFE_INTEGER)
      .optional()
      .describe('The `next` of the page before, or a line’s number.'),
    limit: wholeInQuery(1, 1_000).optional().describe('Default 100.'),
  }),
  answers: { 200: { description: 'What failed.', schema: failures }, ...NOT_THERE },
});

export const getManifest = defineRoute({
  ...common,
  operation: 'getManifest',
  path: '/v1/jobs/{job}/manifest',
  summary: 'Download the manifest: what the result is, in numbers that anybody can check',
  description: 'As it is stored, but for the provider’s ids of its batches.',
  query: NO_QUERY,
  answers: {
    200: { description: 'The manifest.', contentType: 'application/json' },
    ...NOT_THERE,
  },
});

/** The data of an event `job`: something happened to the job. Its id is its version. */
export const jobEvent = z
  .object({
    type: z.string().describe('created, planned, wished, merged …'),
    status: jobStatuses.describe('The job’s status after it.'),
    at: z.int().describe('Unix seconds.'),
  })
  .meta({ id: 'JobEvent' });

/** The data of an event `progress`: how the job stands, told when that has changed. */
export const progressEvent = z
  .object({
    status: jobStatuses,
    counts,
    chunks: z.object({
      total: z.int().nullable().describe('Null before it is planned.'),
      by_phase: z.record(z.string(), z.int()),
      waiting_for: z.record(z.string(), z.int()).describe('Why chunks wait, in words.'),
    }),
  })
  .meta({ id: 'ProgressEvent' });

/** The data of the event `end`: the job is over, and nothing follows. */
export const endEvent = z.object({ status: jobStatuses }).meta({ id: 'EndEvent' });

export type JobEventBody = z.infer<typeof jobEvent>;
export type ProgressEventBody = z.infer<typeof progressEvent>;
export type EndEventBody = z.infer<typeof endEvent>;

export const watchJob = defineRoute({
  ...common,
  operation: 'watchJob',
  path: '/v1/jobs/{job}/events',
  summary: 'Watch a job: server-sent events until it is over',
  description:
    '`job`: something happened to it, with an id to go on from. `progress`: how it stands, when ' +
    'that has changed. `end`: it is over. A comment comes every 15 seconds of silence.',
  headers: { 'Last-Event-ID': 'The last id that was seen: only events after it are told.' },
  query: NO_QUERY,
  answers: {
    200: { description: 'The events.', contentType: 'text/event-stream' },
    404: fault('There is no such job.'),
    429: fault('Too many watch at once.'),
  },
});
