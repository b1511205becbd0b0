/** The request set as the user names it: a file, a .gz file, or a pipe. */

import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Store } from '../compose.ts';
import { Refusal } from '../domain/errors.ts';
import type { JobSource } from '../domain/job.ts';
import { sourceName } from '../stages/names.ts';

/** Read at once, in bytes. */
const BLOCK_BYTES = 256 * 1024;

/** No JSON begins with these bytes, so the name of a file need not say what it is. */
const GZIP_MAGIC = Buffer.from([0x1f, 0x8b]);

export interface OpenedSource {
  readonly name: string;
  readonly source: JobSource;
  /** Local path of the bytes. */
  readonly path: string;
}

/**
 * Reads the input once for its hash, which says whether the same run is known already. What
 * comes through a pipe is kept in the store, so that another process can go on with it.
 */
export async function openSource(input: string, store: Store): Promise<OpenedSource> {
  return input === '-' ? openPipe(process.stdin, store) : openFile(input);
}

async function openFile(input: string): Promise<OpenedSource> {
  if (input === '') throw new Refusal('input_unreadable', 'The input has no name: name a file.');
  const path = resolve(input);
  const found = await stat(path).catch(() => null);
  if (found === null) {
    throw new Refusal('input_unreadable', `There is no file ${input}: check the path.`);
  }
  if (!found.isFile()) {
    const way = found.isDirectory() ? 'name a file in it' : 'pipe it in and name it -';
    throw new Refusal('input_unreadable', `${input} is not a file: ${way}.`);
  }
  const stream = createReadStream(path, { highWaterMark: BLOCK_BYTES });
  const read = await hashed(stream, null, input);
  return { name: basename(path), path, source: { kind: 'path', location: path, ...read } };
}

async function openPipe(pipe: Readable, store: Store): Promise<OpenedSource> {
  const folder = await store.scratch.makeFolder('pipe');
  try {
    const spool = join(folder, 'source');
    const read = await hashed(pipe, spool, 'standard input');
    const location = sourceName(store.ids.nonce());
    await store.blobs.putFile(location, spool);
    const path = await store.blobs.toLocal(location);
    return { name: 'standard input', path, source: { kind: 'blob', location, ...read } };
  } finally {
    await store.scratch.removeFolder(folder);
  }
}

async function hashed(
  stream: Readable,
  copyPath: string | null,
  name: string,
): Promise<Pick<JobSource, 'sha256' | 'sizeBytes' | 'encoding'>> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  let magic = Buffer.alloc(0);
  const count = new Transform({
    transform(block: Buffer, _encoding, done) {
      hash.update(block);
      if (magic.length < GZIP_MAGIC.length) magic = Buffer.concat([magic, block.subarray(0, 2)]);
      sizeBytes += block.length;
      done(null, copyPath === null ? undefined : block);
    },
  });
  try {
    if (copyPath === null) await pipeline(stream, count.resume());
    else await pipeline(stream, count, createWriteStream(copyPath));
  } catch (error) {
    throw new Refusal('input_unreadable', `${name} cannot be read: ${(error as Error).message}`);
  }
  const isGzip = magic.subarray(0, GZIP_MAGIC.length).equals(GZIP_MAGIC);
  return { sha256: hash.digest('hex'), sizeBytes, encoding: isGzip ? 'gzip' : 'identity' };
}
