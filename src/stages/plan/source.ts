/** Reads the request set from its file, plain or gzip, and hashes its bytes as they stand. */

import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { Refusal } from '../../domain/errors.ts';
import type { Plan } from '../../domain/plan.ts';
import type { LineSplitter } from '../../jsonl/line-splitter.ts';

const COMPRESSED_BLOCK_BYTES = 64 * 1024;
const PLAIN_BLOCK_BYTES = 256 * 1024;

/** A process or a disk in need says nothing about the input, and a refusal is for good. */
const PASSING: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOMEM', 'EIO', 'ESTALE']);

export interface SourceInput {
  readonly sourcePath: string;
  readonly encoding: 'identity' | 'gzip';
  /** Called between blocks with the bytes read so far; its promise is awaited. */
  readonly between: (bytesRead: number) => Promise<void> | null;
}

/**
 * Feeds the whole file through the splitter. Refuses a file that cannot be read, is not intact
 * gzip, or changes meanwhile; rejects with the system's error where that may pass.
 */
export async function readSource(
  input: SourceInput,
  splitter: LineSplitter,
): Promise<Plan['source']> {
  const fd = opened(input.sourcePath);
  try {
    const before = fstatSync(fd);
    if (!before.isFile()) throw new Refusal('input_unreadable', 'The input is not a file.');
    const hash = createHash('sha256');
    const sizeBytes =
      input.encoding === 'gzip'
        ? await readGzip(fd, input, splitter, hash)
        : await readPlain(fd, input, splitter, hash);
    splitter.end();
    const after = fstatSync(fd);
    if (after.size !== before.size || after.mtimeMs !== before.mtimeMs) {
      const message = 'The input changed while it was read. Run again when it is complete.';
      throw new Refusal('input_changed', message);
    }
    if (after.size !== sizeBytes) {
      const message = `The gzip input ends at byte ${sizeBytes}, but more follows. Make it anew.`;
      throw new Refusal('input_unreadable', message);
    }
    return { sizeBytes, sha256: hash.digest('hex') };
  } finally {
    closeSync(fd);
  }
}

function opened(path: string): number {
  try {
    return openSync(path, 'r');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    if (PASSING.has(code)) throw error;
    throw new Refusal('input_unreadable', `The input cannot be opened (${code}).`);
  }
}

async function readPlain(
  fd: number,
  input: SourceInput,
  splitter: LineSplitter,
  hash: Hash,
): Promise<number> {
  let sizeBytes = 0;
  for (;;) {
    const room = splitter.room();
    const { buffer, filled } = splitter;
    const count = readSync(fd, buffer, filled, room, null);
    if (count === 0) return sizeBytes;
    hash.update(buffer.subarray(filled, filled + count));
    sizeBytes += count;
    splitter.advance(count);
    const pause = input.between(sizeBytes);
    if (pause !== null) await pause;
  }
}

/** Returns where the last gzip member ends. */
async function readGzip(
  fd: number,
  input: SourceInput,
  splitter: LineSplitter,
  hash: Hash,
): Promise<number> {
  let bytesRead = 0;
  function* blocks(): Generator<Buffer> {
    for (;;) {
      const block = Buffer.allocUnsafeSlow(COMPRESSED_BLOCK_BYTES);
      const count = readSync(fd, block, 0, block.length, null);
      if (count === 0) return;
      bytesRead += count;
      const piece = block.subarray(0, count);
      hash.update(piece);
      yield piece;
    }
  }
  const gunzip = createGunzip({ chunkSize: PLAIN_BLOCK_BYTES });
  await pipeline(blocks, gunzip, async (pieces) => {
    for await (const piece of pieces as AsyncIterable<Buffer>) {
      feed(piece, splitter);
      const pause = input.between(bytesRead);
      if (pause !== null) await pause;
    }
  }).catch((error: unknown) => {
    throw gzipRefusal(error);
  });
  return gunzip.bytesWritten;
}

function feed(piece: Buffer, splitter: LineSplitter): void {
  let at = 0;
  while (at < piece.length) {
    const count = Math.min(splitter.room(), piece.length - at);
    piece.copy(splitter.buffer, splitter.filled, at, at + count);
    splitter.advance(count);
    at += count;
  }
}

function gzipRefusal(error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (!code.startsWith('Z_')) return error;
  const message = `The gzip input is cut or damaged (${code}). Make it anew.`;
  return new Refusal('input_unreadable', message);
}
