/** What files, batches and errors look like on the door for OpenAI's clients. */

import { z } from 'zod';
import type { Answer } from './route.ts';

const unixSeconds = z.int().describe('Unix seconds.');
const whenReached = unixSeconds.nullable();

export const file = z
  .object({
    id: z.string(),
    object: z.literal('file'),
    bytes: z.int(),
    created_at: unixSeconds,
    expires_at: unixSeconds.nullable().describe('Null: it stays until it is deleted.'),
    filename: z.string(),
    purpose: z.enum(['batch', 'batch_output']),
    status: z.literal('processed'),
    status_details: z.null(),
  })
  .meta({ id: 'File' });

export type FileBody = z.infer<typeof file>;

export const fileList = listOf(file).meta({ id: 'FileList' });

export const deletedFile = z
  .object({ id: z.string(), object: z.literal('file'), deleted: z.literal(true) })
  .meta({ id: 'DeletedFile' });

export const batchStatus = z.enum([
  'validating',
  'failed',
  'in_progress',
  'finalizing',
  'completed',
  'cancelling',
  'cancelled',
]);

const batchError = z.object({
  code: z.string(),
  line: z.int().nullable().describe('Counted from 1 in the input file.'),
  message: z.string(),
  param: z.string().nullable(),
});

const batchUsage = z.object({
  input_tokens: z.int(),
  input_tokens_details: z.object({ cached_tokens: z.int() }),
  output_tokens: z.int(),
  output_tokens_details: z.object({ reasoning_tokens: z.int() }),
  total_tokens: z.int(),
});

export const batch = z
  .object({
    id: z.string(),
    object: z.literal('batch'),
    endpoint: z.string(),
    model: z.string().nullable().describe('Null before it is known, and where there are several.'),
    errors: z.object({ object: z.literal('list'), data: z.array(batchError) }).nullable(),
    input_file_id: z.string(),
    completion_window: z.string(),
    status: batchStatus,
    output_file_id: z.string().nullable().describe('Null where nothing succeeded.'),
    error_file_id: z.string().nullable().describe('Null where nothing failed.'),
    created_at: unixSeconds,
    in_progress_at: whenReached,
    expires_at: unixSeconds.describe('A day after its creation; nothing ends then.'),
    finalizing_at: whenReached,
    completed_at: whenReached,
    failed_at: whenReached,
    expired_at: z.null().describe('Batches do not expire here.'),
    cancelling_at: whenReached,
    cancelled_at: whenReached,
    request_counts: z.object({ total: z.int(), completed: z.int(), failed: z.int() }),
    usage: batchUsage.nullable().describe('Null before the result is there.'),
    metadata: z.record(z.string(), z.string()).nullable(),
  })
  .meta({ id: 'Batch' });

export type BatchBody = z.infer<typeof batch>;
export type BatchErrorBody = z.infer<typeof batchError>;

export const batchList = listOf(batch).meta({ id: 'BatchList' });

const envelope = z
  .object({
    error: z.object({
      message: z.string(),
      type: z.string(),
      param: z.string().nullable(),
      code: z.string().nullable(),
    }),
  })
  .meta({ id: 'OpenAiError' });

/** An error in OpenAI's envelope as an answer of a route. */
export function refusal(description: string): Answer {
  return { description, schema: envelope };
}

function listOf<Item extends z.ZodType>(item: Item) {
  return z.object({
    object: z.literal('list'),
    data: z.array(item),
    first_id: z.string().nullable(),
    last_id: z.string().nullable(),
    has_more: z.boolean(),
  });
}
