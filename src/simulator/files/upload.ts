/** Receives one upload: the content goes to disk as it arrives, the checks come after it. */

import { type FileHandle, open, rm } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';

import { ApiError, invalidValue, missingParameter } from '../http/api-error.ts';
import type { World } from '../world.ts';
import { boundaryOf, type PartHead, type PartSink, readMultipart } from './multipart.ts';
import type { FileRecord } from './shelf.ts';

const PURPOSES = ['assistants', 'batch', 'fine-tune', 'vision', 'user_data', 'evals'];
const MAX_FIELD_BYTES = 65_536;
const FIRST_LINE_BYTES = 1 << 20;

/** Reads the request and adds the file. Throws an ApiError where it is refused. */
export async function receiveUpload(world: World, request: IncomingMessage): Promise<FileRecord> {
  const boundary = boundaryOf(request.headers['content-type']);
  if (boundary === null) {
    request.resume();
    throw new ApiError({ status: 400, message: 'Expected multipart/form-data with a boundary.' });
  }
  const form = new Form(world.files.draftPath(), world.settings.limits.maxBytes);
  try {
    await readMultipart(request, boundary, (head) => form.openPart(head));
    const purpose = form.purpose();
    const expiresAfterSeconds = form.expiresAfterSeconds();
    const file = form.file();
    if (purpose === 'batch') await checkBatchFile(file);
    return await world.files.add({ ...file, purpose, expiresAfterSeconds });
  } finally {
    await form.discard();
  }
}

interface ReceivedFile {
  readonly path: string;
  readonly filename: string;
  readonly sizeBytes: number;
}

/** What has arrived of the form; `discard` is harmless once the content has moved home. */
class Form {
  readonly #path: string;
  readonly #maxBytes: number;
  readonly #fields = new Map<string, string>();
  #handle: FileHandle | null = null;
  #filename: string | null = null;
  #sizeBytes = 0;

  constructor(path: string, maxBytes: number) {
    this.#path = path;
    this.#maxBytes = maxBytes;
  }

  async openPart(head: PartHead): Promise<PartSink> {
    if (head.name !== 'file') return this.#openField(head.name);
    const handle = await open(this.#path, 'w');
    await this.#handle?.close();
    this.#handle = handle;
    this.#filename = head.filename ?? 'upload';
    this.#sizeBytes = 0;
    return {
      write: async (chunk) => {
        this.#sizeBytes += chunk.length;
        // What is too much is read to its end, so that the client hears the answer.
        if (this.#sizeBytes <= this.#maxBytes) await writeAll(handle, chunk);
      },
      end: async () => {
        this.#handle = null;
        await handle.close();
      },
    };
  }

  purpose(): string {
    const purpose = this.#fields.get('purpose');
    if (purpose === undefined) throw missingParameter('purpose');
    if (PURPOSES.includes(purpose)) return purpose;
    const listed = PURPOSES.map((known) => `'${known}'`).join(', ');
    throw invalidValue('purpose', `'${purpose}' is not one of [${listed}] - 'purpose'`);
  }

  /** Null where the form does not say. */
  expiresAfterSeconds(): number | null {
    const anchor = this.#fields.get('expires_after[anchor]');
    const text = this.#fields.get('expires_after[seconds]');
    if (anchor === undefined && text === undefined) return null;
    if (anchor !== 'created_at') {
      throw invalidValue('expires_after.anchor', "Invalid anchor: expected 'created_at'.");
    }
    const seconds = Number(text);
    if (!Number.isInteger(seconds) || seconds < 3600 || seconds > 2_592_000) {
      throw invalidValue('expires_after.seconds', 'Invalid seconds: expected 3600 to 2592000.');
    }
    return seconds;
  }

  file(): ReceivedFile {
    if (this.#filename === null) throw missingParameter('file');
    if (this.#sizeBytes > this.#maxBytes) {
      throw new ApiError({
        status: 413,
        message: `The file has ${this.#sizeBytes} bytes; at most ${this.#maxBytes} are allowed.`,
      });
    }
    return { path: this.#path, filename: this.#filename, sizeBytes: this.#sizeBytes };
  }

  async discard(): Promise<void> {
    await this.#handle?.close();
    await rm(this.#path, { force: true });
  }

  #openField(name: string): PartSink {
    const chunks: Buffer[] = [];
    let sizeBytes = 0;
    return {
      write: (chunk) => {
        sizeBytes += chunk.length;
        if (sizeBytes > MAX_FIELD_BYTES) throw invalidValue(name, `The field ${name} is too long.`);
        chunks.push(Buffer.from(chunk));
      },
      end: () => {
        this.#fields.set(name, Buffer.concat(chunks).toString('utf8'));
      },
    };
  }
}

async function writeAll(handle: FileHandle, chunk: Buffer): Promise<void> {
  let written = 0;
  while (written < chunk.length) {
    written += (await handle.write(chunk, written)).bytesWritten;
  }
}

/** As shallow as the service's own check: the name, and whether the first line is JSON. */
async function checkBatchFile(file: ReceivedFile): Promise<void> {
  const isFine =
    file.filename.endsWith('.jsonl') && file.sizeBytes > 0 && (await startsWithJson(file.path));
  if (isFine) return;
  throw new ApiError({
    status: 400,
    message: 'Invalid file format for Batch API. Must be .jsonl',
  });
}

async function startsWithJson(path: string): Promise<boolean> {
  const handle = await open(path, 'r');
  try {
    const buffer = Buffer.alloc(FIRST_LINE_BYTES);
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, 0);
    const end = buffer.subarray(0, bytesRead).indexOf(10);
    // A first line longer than that is left to the validation.
    if (end < 0 && bytesRead === buffer.length) return true;
    JSON.parse(buffer.toString('utf8', 0, end < 0 ? bytesRead : end));
    return true;
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  } finally {
    await handle.close();
  }
}
