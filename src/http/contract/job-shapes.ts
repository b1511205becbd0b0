/** What a job and its parts look like on the own API. */

import { z } from 'zod';

export const metadata = z
  .record(z.string().min(1).max(64), z.string().max(512))
  .refine((pairs) => Object.keys(pairs).length <= 16, 'holds at most 16 pairs')
  .describe('Up to 16 pairs of yours: keys of up to 64, values of up to 512 characters.');

export const jobStatuses = z.enum([
  'planning',
  'running',
  'paused',
  'cancelling',
  'completed',
  'completed_with_errors',
  'cancelled',
  'failed',
]);

const trouble = z.object({ code: z.string(), message: z.string() });

const badLine = z
  .object({ line: z.int().min(1), code: z.string(), message: z.string() })
  .meta({ id: 'BadLine' });

export const alert = z
  .object({
    code: z.string(),
    message: z.string(),
    chunk: z.string().nullable(),
    at: z.int().describe('Unix seconds.'),
    todo: z.string().describe('What to do about it.'),
  })
  .meta({ id: 'Alert' });

export const counts = z
  .object({
    total: z.int().describe('Lines that get an answer; 0 before they are known.'),
    succeeded: z.int(),
    failed: z
      .int()
      .describe('Answered by an error; also what was not sent when the job was cancelled.'),
    rejected: z.int().describe('Bad lines: never sent, and answered by an error of ours.'),
    pending: z.int(),
  })
  .meta({ id: 'JobCounts' });

const usage = z
  .object({
    input_tokens: z.int(),
    cached_input_tokens: z.int(),
    output_tokens: z.int(),
    reasoning_tokens: z.int(),
    total_tokens: z.int(),
  })
  .meta({ id: 'JobUsage' });

export const job = z
  .object({
    object: z.literal('job'),
    id: z.string(),
    name: z.string(),
    status: jobStatuses,
    created_at: z.int().describe('Unix seconds.'),
    finished_at: z.int().nullable().describe('Unix seconds.'),
    endpoint: z.string().nullable().describe('Null before it is planned.'),
    models: z.array(z.string()),
    input: z.object({
      file_id: z.string().nullable(),
      size_bytes: z.int(),
      lines: z.int().nullable().describe('Null before it is planned.'),
    }),
    counts,
    chunks: z.object({
      total: z.int().nullable().describe('Null before it is planned.'),
      by_phase: z.record(z.string(), z.int()),
      waiting_for: z.record(z.string(), z.int()).describe('Why chunks wait, in words.'),
    }),
    usage: usage.nullable().describe('Null before the result is there.'),
    result: z
      .object({ size_bytes: z.int(), sha256: z.string(), lines: z.int() })
      .nullable()
      .describe('Null before it is there.'),
    paused: trouble.nullable(),
    refusal: trouble
      .extend({ errors: z.array(badLine), errors_total: z.int() })
      .nullable()
      .describe('Why nothing was sent.'),
    alerts: z.array(alert),
    metadata: z.record(z.string(), z.string()),
    callback_url: z.string().nullable(),
    retry_of: z.string().nullable().describe('The job whose failed requests these are.'),
  })
  .meta({ id: 'Job' });

export type JobBody = z.infer<typeof job>;

export const planned = z
  .object({
    object: z.literal('plan'),
    endpoint: z.string().nullable(),
    models: z.array(z.string()),
    counts: z.object({
      lines: z.int(),
      blank: z.int(),
      requests: z.int(),
      rejected: z.int(),
    }),
    chunks: z.int(),
    errors: z.array(badLine),
    errors_total: z.int(),
    would_be_sent: z.boolean(),
  })
  .meta({ id: 'Plan' });

export const jobList = z
  .object({
    object: z.literal('list'),
    data: z.array(job),
    has_more: z.boolean(),
    next: z.string().nullable().describe('The `after` of the next page.'),
  })
  .meta({ id: 'JobList' });

export const chunk = z
  .object({
    object: z.literal('chunk'),
    id: z.string(),
    model: z.string().nullable(),
    status: z.string(),
    requests: z.int(),
    rejected: z.int(),
    succeeded: z.int(),
    failed: z.int(),
    pending: z.int(),
    attempts: z.int().describe('Batches that executed.'),
    first_line: z.int(),
    last_line: z.int(),
  })
  .meta({ id: 'Chunk' });

export type ChunkBody = z.infer<typeof chunk>;

export const chunkList = z
  .object({
    object: z.literal('list'),
    data: z.array(chunk),
    has_more: z.boolean(),
    next: z.string().nullable(),
  })
  .meta({ id: 'ChunkList' });

export const removed = z
  .object({ object: z.literal('job'), id: z.string(), deleted: z.literal(true) })
  .meta({ id: 'RemovedJob' });
