/**
 * The Batch API of OpenAI and of the servers that follow it. Small calls go through the SDK, one
 * request each; file bytes go past it, straight between the disk and the socket.
 */

import OpenAI from 'openai';
import { Weather } from '../../domain/errors.ts';
import type { BatchProvider, CreateBatchInput } from '../../ports/batch-provider.ts';
import { jsonIn } from './answer-body.ts';
import { requireId } from './connection.ts';
import type { Connection } from './connection.ts';
import { downloadContent } from './download.ts';
import { batchFrom, fileFrom, PAGE_SIZE, pageFrom } from './objects.ts';
import { createCleaner } from './provider-text.ts';
import type { Clean } from './provider-text.ts';
import { createSingleRequestFetch } from './single-request-fetch.ts';
import { createUpload } from './upload.ts';
import type { UploadProfile } from './upload.ts';
import { UnreadableAnswer, weatherOf } from './weather.ts';
import type { Effect } from './weather.ts';

export interface OpenAiProviderOptions extends Connection {
  readonly profile: UploadProfile;
  readonly timeouts: {
    /** From the start of a small call to the last byte of its answer. */
    readonly callMs: number;
    /** The longest silence in a transfer of file bytes. */
    readonly stallMs: number;
    /** From the last byte of an upload to the answer. */
    readonly answerMs: number;
  };
}

/** A provider at the base URL. It holds no connection that would keep the process alive. */
export function createOpenAiProvider(options: OpenAiProviderOptions): BatchProvider {
  const clean = createCleaner(options.apiKey);
  const client = createClient(options);
  const transfer = { connection: options, clean, ...options.timeouts };
  const purpose = options.profile.filePurpose;
  const readBatch = (value: unknown) => batchFrom(value, clean);
  const retrieveFile: BatchProvider['retrieveFile'] = async (fileId) => {
    requireId(fileId);
    return call(clean, 'repeatable', () => client.files.retrieve(fileId), fileFrom).catch(
      nullOn404,
    );
  };
  return {
    retrieveFile,
    upload: createUpload(transfer, options.profile),
    createBatch: (input) => call(clean, 'creates', () => create(client, input), readBatch),
    async retrieveBatch(batchId) {
      requireId(batchId);
      return call(clean, 'repeatable', () => client.batches.retrieve(batchId), readBatch);
    },
    async listBatches(after) {
      const send = () => client.batches.list({ limit: PAGE_SIZE, ...cursor(after) });
      const read = (value: unknown) => pageFrom(value, after, readBatch);
      const { items, next } = await call(clean, 'repeatable', send, read);
      return { batches: items, next };
    },
    async cancelBatch(batchId) {
      requireId(batchId);
      return call(clean, 'cancels', () => client.batches.cancel(batchId), readBatch);
    },
    async listFiles(after) {
      const send = () => client.files.list({ purpose, limit: PAGE_SIZE, ...cursor(after) });
      const read = (value: unknown) => pageFrom(value, after, fileFrom);
      const { items, next } = await call(clean, 'repeatable', send, read);
      return { files: items, next };
    },
    async deleteFile(fileId) {
      requireId(fileId);
      const send = () => client.files.delete(fileId);
      await call(clean, 'repeatable', send, refuseKept).catch(nullOn404);
    },
    async download(fileId, localPath) {
      const file = await retrieveFile(fileId);
      return downloadContent(transfer, fileId, localPath, file?.sizeBytes ?? 0);
    },
  };
}

/** Every option is given, so that none is read from the environment. */
function createClient(options: OpenAiProviderOptions): OpenAI {
  return new OpenAI({
    baseURL: options.baseUrl,
    apiKey: options.apiKey,
    adminAPIKey: null,
    organization: options.organization,
    project: options.project,
    webhookSecret: null,
    timeout: options.timeouts.callMs,
    maxRetries: 0,
    fetch: createSingleRequestFetch(),
    logLevel: 'off',
    defaultHeaders: { 'User-Agent': options.userAgent, 'Accept-Encoding': 'identity' },
  });
}

/**
 * One call. The raw answer is read here: the SDK takes a body without a JSON content type for a
 * text, and that text for a list without items.
 */
async function call<Result>(
  clean: Clean,
  effect: Effect,
  send: () => { asResponse(): Promise<Response> },
  read: (value: unknown) => Result,
): Promise<Result> {
  let status: number | null = null;
  try {
    const response = await send().asResponse();
    status = response.status;
    return read(jsonIn(await response.text()));
  } catch (error) {
    throw weatherOf(error, effect, clean, status);
  }
}

function create(client: OpenAI, input: CreateBatchInput): ReturnType<OpenAI['batches']['create']> {
  const body = {
    input_file_id: input.inputFileId,
    endpoint: input.endpoint as OpenAI.Batches.BatchCreateParams['endpoint'],
    // The SDK's type knows one window; other servers offer more.
    completion_window: input.completionWindow as '24h',
    metadata: { ...input.metadata },
  };
  return client.batches.create(body, { timeout: input.timeoutMs, maxRetries: 0 });
}

function cursor(after: string | null): { after?: string } {
  return after === null ? {} : { after };
}

function nullOn404(error: unknown): null {
  if (error instanceof Weather && error.status === 404) return null;
  throw error;
}

function refuseKept(value: unknown): void {
  const isKept =
    typeof value === 'object' && value !== null && 'deleted' in value && value.deleted === false;
  if (isKept) throw new UnreadableAnswer('the file was not deleted, says the server');
}
