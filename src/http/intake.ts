/**
 * Takes the body of a request into a local file, as it streams in: any size, flat memory. What is
 * wrong with it is found while it comes, and can be said before the rest is sent.
 */

import { open, unlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { createGunzip } from 'node:zlib';
import type { Gunzip } from 'node:zlib';
import type { BodyLimits } from './body-sink.ts';
import { BodySink, requireRoom } from './body-sink.ts';
import { ClientWatch } from './client-watch.ts';
import { Problem, problemOf } from './problem.ts';

export interface IntakeLimits extends BodyLimits {
  /** The longest wait for the next byte; there is none for the whole. */
  readonly idleMs: number;
}

export interface TakenBody {
  readonly path: string;
  /** Of the file: decompressed. */
  readonly sizeBytes: number;
}

/** What decompression may at most make of a byte. */
const MAX_RATIO = 200;

/** On the way, a body may run ahead of the ratio by this: it is not spread evenly over it. */
const RATIO_LEAD_BYTES = 16 * 1024 * 1024;

/** No harm comes of a body of this size, whatever it was before. */
const HARMLESS_BYTES = 1024 * 1024;

const GUNZIP_BLOCK_BYTES = 256 * 1024;

/**
 * Writes the body, decompressed, to a new file in `folder`; flushing it and removing the folder
 * are the caller's. Rejects with a `Problem`, and leaves no file, where the body cannot be taken;
 * a client that went away is one (499) that nobody reads.
 */
export async function takeBody(
  request: IncomingMessage,
  folder: string,
  limits: IntakeLimits,
): Promise<TakenBody> {
  const isGzip = encodingOf(request) === 'gzip';
  await requireRoom(isGzip ? 0 : Number(request.headers['content-length'] ?? 0), limits);
  const path = join(folder, 'body');
  const handle = await open(path, 'wx+');
  try {
    return { path, sizeBytes: await receive(request, handle, isGzip, limits) };
  } catch (error) {
    await unlink(path).catch(() => undefined);
    throw problemOf(error);
  } finally {
    await handle.close();
  }
}

/** Of a header only: what the bytes look like decides nothing. */
function encodingOf(request: IncomingMessage): 'identity' | 'gzip' {
  const encoding = (request.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  if (encoding === 'identity' || encoding === '') return 'identity';
  if (encoding === 'gzip' || encoding === 'x-gzip') return 'gzip';
  const message = 'Send the body as it is, or with Content-Encoding: gzip.';
  const headers = { 'accept-encoding': 'gzip, identity' };
  throw new Problem({ status: 415, code: 'unsupported_encoding', message, headers });
}

async function receive(
  request: IncomingMessage,
  handle: FileHandle,
  isGzip: boolean,
  limits: IntakeLimits,
): Promise<number> {
  const outcome = Promise.withResolvers<void>();
  const fail = (error: unknown): void => outcome.reject(error);
  const gunzip = isGzip ? createGunzip({ chunkSize: GUNZIP_BLOCK_BYTES }) : null;
  const sink = new BodySink(handle, limits, gunzip === null ? undefined : ratioRule(gunzip));
  sink.on('error', fail).on('finish', outcome.resolve);
  gunzip?.on('error', () => fail(invalidGzip('The body is not gzip, or is damaged or cut.')));
  const watch = new ClientWatch(request, limits.idleMs, fail);
  if (gunzip === null) request.pipe(sink);
  else request.pipe(gunzip).pipe(sink);
  try {
    await outcome.promise;
    if (gunzip !== null) requireWhole(gunzip, watch.receivedBytes, sink.sizeBytes);
    return sink.sizeBytes;
  } finally {
    watch.stop();
    // Not the request itself: its connection still has to carry the answer.
    request.unpipe();
    gunzip?.destroy();
    sink.destroy();
  }
}

/** Judges the ratio while the bytes come: a bomb never gets far. */
function ratioRule(gunzip: Gunzip): (sizeBytes: number) => Problem | null {
  return (sizeBytes) => {
    const allowed = gunzip.bytesWritten * MAX_RATIO + RATIO_LEAD_BYTES;
    return sizeBytes > allowed ? tooDense() : null;
  };
}

function requireWhole(gunzip: Gunzip, receivedBytes: number, sizeBytes: number): void {
  // The decoder leaves out what follows a padded end, and nothing of a body may get lost.
  if (gunzip.bytesWritten < receivedBytes) throw invalidGzip('Bytes follow the end of the gzip.');
  if (sizeBytes > HARMLESS_BYTES && sizeBytes > receivedBytes * MAX_RATIO) throw tooDense();
}

function invalidGzip(message: string): Problem {
  return new Problem({ status: 400, code: 'invalid_gzip', message });
}

function tooDense(): Problem {
  const message = `The body becomes more than ${MAX_RATIO} times as long when it is decompressed.`;
  return new Problem({ status: 413, code: 'too_dense', message });
}
