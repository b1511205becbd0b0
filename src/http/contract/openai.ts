/** The door for OpenAI's clients: /v1/files and /v1/batches as the Batch API has them. */

import { z } from 'zod';
import { batch, batchList, deletedFile, file, fileList, refusal } from './openai-shapes.ts';
import { defineRoute, NO_QUERY, wholeInQuery } from './route.ts';

const HOUR_SECONDS = 3_600;
const MAX_SECONDS = 30 * 24 * HOUR_SECONDS;

const ANCHOR = z.literal('created_at');

const metadata = z
  .record(z.string().min(1).max(64), z.string().max(512))
  .refine((pairs) => Object.keys(pairs).length <= 16, 'holds at most 16 pairs');

/** The same before all of them are there: each may still be missing. */
export const formFields = z.strictObject({
  purpose: z.literal('batch'),
  'expires_after[anchor]': ANCHOR.optional(),
  'expires_after[seconds]': wholeInQuery(HOUR_SECONDS, MAX_SECONDS).optional(),
});

/** The fields of an upload beside the file, as they stand in the form. */
export const uploadFields = formFields.refine(
  (fields) =>
    (fields['expires_after[anchor]'] === undefined) ===
    (fields['expires_after[seconds]'] === undefined),
  { path: ['expires_after'], message: 'needs both its anchor and its seconds' },
);

const FILE_PARAM = { file: 'The file’s id.' };
const BATCH_PARAM = { batch: 'The batch’s id.' };
const NO_FILE = { 404: refusal('There is no such file.') };
const NO_BATCH = { 404: refusal('There is no such batch.') };
const MALFORMED = refusal('Something about the call is wrong.');

const files = { tag: 'OpenAI: files', access: 'tenant', dialect: 'openai' } as const;
const batches = { tag: 'OpenAI: batches', access: 'tenant', dialect: 'openai' } as const;

export const createFile = defineRoute({
  ...files,
  operation: 'createFile',
  method: 'post',
  path: '/v1/files',
  summary: 'Upload a file of requests',
  description: 'Of any size and any number of lines. When the answer comes, it is on the disk.',
  query: NO_QUERY,
  body: { form: formFields.extend({ file: z.string().meta({ format: 'binary' }) }) },
  answers: {
    200: { description: 'The file.', schema: file },
    400: refusal('The form, or the beginning of the file, is not what a batch takes.'),
    408: refusal('Nothing came for a while.'),
    413: refusal('The file is larger than what is taken, or your share of the disk is used up.'),
    507: refusal('There is no room.'),
  },
});

export const listFiles = defineRoute({
  ...files,
  operation: 'listFiles',
  method: 'get',
  path: '/v1/files',
  summary: 'List files: those uploaded, and those of batches that are over',
  query: z.strictObject({
    purpose: z.string().max(100).optional(),
    limit: wholeInQuery(1, 10_000).optional().describe('Default 10,000.'),
    order: z.enum(['asc', 'desc']).optional().describe('Default desc: the newest first.'),
    after: z.string().max(100).optional(),
  }),
  answers: { 200: { description: 'A page of files.', schema: fileList }, 400: MALFORMED },
});

export const getFile = defineRoute({
  ...files,
  operation: 'getFile',
  method: 'get',
  path: '/v1/files/{file}',
  summary: 'Look at a file',
  params: FILE_PARAM,
  query: NO_QUERY,
  answers: { 200: { description: 'The file.', schema: file }, ...NO_FILE },
});

export const getFileContent = defineRoute({
  ...files,
  operation: 'getFileContent',
  method: 'get',
  path: '/v1/files/{file}/content',
  summary: 'Download a file, or a range of it',
  params: FILE_PARAM,
  headers: {
    Range: 'One range of bytes.',
    'If-Range': 'The ETag of what was downloaded before.',
  },
  query: NO_QUERY,
  answers: {
    200: { description: 'The bytes.', contentType: 'application/octet-stream' },
    206: { description: 'A range of the bytes.', contentType: 'application/octet-stream' },
    416: refusal('The file ends before the range begins.'),
    ...NO_FILE,
  },
});

export const deleteFile = defineRoute({
  ...files,
  operation: 'deleteFile',
  method: 'delete',
  path: '/v1/files/{file}',
  summary: 'Delete a file',
  description:
    'A batch whose input file goes before it was read fails. What a batch answered stays with ' +
    'its job when its output or error file is deleted.',
  params: FILE_PARAM,
  query: NO_QUERY,
  answers: { 200: { description: 'It is gone.', schema: deletedFile }, ...NO_FILE },
});

export const createBatch = defineRoute({
  ...batches,
  operation: 'createBatch',
  method: 'post',
  path: '/v1/batches',
  summary: 'Run the requests of a file',
  headers: {
    'Idempotency-Key':
      'The same key with the same parameters is the same batch; with others it is refused.',
  },
  query: NO_QUERY,
  body: {
    json: z.strictObject({
      input_file_id: z.string().max(100),
      endpoint: z.enum([
        '/v1/chat/completions',
        '/v1/responses',
        '/v1/embeddings',
        '/v1/completions',
        '/v1/moderations',
      ]),
      completion_window: z.literal('24h'),
      metadata: metadata.nullish(),
      output_expires_after: z
        .strictObject({ anchor: ANCHOR, seconds: z.int().min(HOUR_SECONDS).max(MAX_SECONDS) })
        .nullish(),
    }),
  },
  answers: {
    200: { description: 'The batch.', schema: batch },
    400: MALFORMED,
    409: refusal('The idempotency key was used for something else.'),
    413: refusal('The body is larger than what is taken, or your share of the disk is used up.'),
    503: refusal('No batch is taken now; nothing was kept of the call.'),
    507: refusal('There is no room.'),
  },
});

export const listBatches = defineRoute({
  ...batches,
  operation: 'listBatches',
  method: 'get',
  path: '/v1/batches',
  summary: 'List batches, the newest first',
  query: z.strictObject({
    after: z.string().max(100).optional(),
    limit: wholeInQuery(1, 100).optional().describe('Default 20.'),
  }),
  answers: { 200: { description: 'A page of batches.', schema: batchList }, 400: MALFORMED },
});

export const getBatch = defineRoute({
  ...batches,
  operation: 'getBatch',
  method: 'get',
  path: '/v1/batches/{batch}',
  summary: 'Look at a batch',
  params: BATCH_PARAM,
  query: NO_QUERY,
  answers: { 200: { description: 'The batch.', schema: batch }, ...NO_BATCH },
});

export const cancelBatch = defineRoute({
  ...batches,
  operation: 'cancelBatch',
  method: 'post',
  path: '/v1/batches/{batch}/cancel',
  summary: 'Cancel a batch: what is answered is kept, the rest is answered by errors',
  params: BATCH_PARAM,
  query: NO_QUERY,
  body: { optional: true, json: z.strictObject({}) },
  answers: {
    200: { description: 'The batch as it is then.', schema: batch },
    409: refusal('The batch is over.'),
    ...NO_BATCH,
  },
});
