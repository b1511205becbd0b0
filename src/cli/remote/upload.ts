/** A request set on its way to the service: read in blocks, never whole, with its progress. */

import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { Refusal } from '../../domain/errors.ts';
import type { Terminal } from '../terminal.ts';
import { showing } from './transfer.ts';

/** Read and sent at once, in bytes. */
const BLOCK_BYTES = 256 * 1024;

/** No JSON begins with these bytes, so the name of a file need not say what it is. */
const GZIP_MAGIC = Buffer.from([0x1f, 0x8b]);

export interface Upload {
  /** For people. */
  readonly name: string;
  /** Content-Type, and where they are known Content-Encoding and Content-Length. */
  readonly headers: Readonly<Record<string, string>>;
  readonly blocks: AsyncIterable<Buffer>;
}

/** Opens a file, a .gz file or, for `-`, standard input. Refuses what cannot be read. */
export async function openUpload(input: string, terminal: Terminal): Promise<Upload> {
  return input === '-' ? openPipe(terminal) : openFile(input, terminal);
}

async function openFile(input: string, terminal: Terminal): Promise<Upload> {
  const found = await stat(input).catch(() => null);
  if (found === null) {
    throw new Refusal('input_unreadable', `There is no file ${input}: check the path.`);
  }
  if (!found.isFile()) {
    const way = found.isDirectory() ? 'name a file in it' : 'pipe it in and name it -';
    throw new Refusal('input_unreadable', `${input} is not a file: ${way}.`);
  }
  const { size: sizeBytes } = found;
  if (sizeBytes === 0) throw new Refusal('empty_input', `${input} is empty.`);
  const encoding = (await beginsAsGzip(input)) ? { 'content-encoding': 'gzip' } : {};
  return {
    name: basename(input),
    headers: { ...JSONL, ...encoding, 'content-length': String(sizeBytes) },
    blocks: sending(fileBlocks(input, sizeBytes), sizeBytes, terminal),
  };
}

/** How much comes through a pipe is known when it ends: it is sent in chunks. */
async function openPipe(terminal: Terminal): Promise<Upload> {
  const blocks = process.stdin[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  const first = await blocks.next();
  if (first.done === true) throw new Refusal('empty_input', 'Standard input is empty.');
  const isGzip = first.value.subarray(0, GZIP_MAGIC.length).equals(GZIP_MAGIC);
  return {
    name: 'standard input',
    headers: { ...JSONL, ...(isGzip ? { 'content-encoding': 'gzip' } : {}) },
    blocks: sending(following(first.value, blocks), null, terminal),
  };
}

const JSONL = { 'content-type': 'application/jsonl' };

async function beginsAsGzip(path: string): Promise<boolean> {
  const handle = await open(path).catch((error: Error) => {
    throw new Refusal('input_unreadable', `${path} cannot be read: ${error.message}`);
  });
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(2), 0, 2, 0);
    return bytesRead === 2 && buffer.equals(GZIP_MAGIC);
  } finally {
    await handle.close();
  }
}

/** As many bytes as were announced; a file that became shorter meanwhile must not be sent. */
async function* fileBlocks(path: string, sizeBytes: number): AsyncGenerator<Buffer> {
  let left = sizeBytes;
  const stream = createReadStream(path, { highWaterMark: BLOCK_BYTES, end: sizeBytes - 1 });
  for await (const block of stream as AsyncIterable<Buffer>) {
    left -= block.length;
    yield block;
  }
  if (left === 0) return;
  const what = 'became shorter while it was sent: nothing was submitted';
  throw new Refusal('input_changed', `${path} ${what}.`);
}

async function* following(first: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  yield first;
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) {
    yield next.value;
  }
}

async function* sending(
  blocks: AsyncIterable<Buffer>,
  totalBytes: number | null,
  terminal: Terminal,
): AsyncGenerator<Buffer> {
  yield* showing(blocks, { verb: 'sending', doneBytes: 0, totalBytes }, terminal);
  terminal.bar('sent; the service checks and stores it …');
}
