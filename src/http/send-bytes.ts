/** Answers that are bytes: as fast as the client reads, and never more in memory than a block. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ByteView } from '../service/result-views.ts';
import { askedRange } from './byte-range.ts';

/** A client that takes no byte for so long is gone, or will not finish. */
const STALL_MS = 300_000;

export interface ByteAnswer {
  readonly contentType: string;
  /** A strong one, with its quotes. */
  readonly etag: string;
  /** What a browser saves it as; of letters, digits, dots, hyphens and underscores. */
  readonly filename: string;
}

/** Sends the view, or the range of it that is asked for. Throws a Problem of 416. */
export async function sendView(
  request: IncomingMessage,
  response: ServerResponse,
  view: ByteView,
  { contentType, etag, filename }: ByteAnswer,
): Promise<void> {
  const { sizeBytes } = view;
  const isHead = request.method === 'HEAD';
  const range = isHead ? null : askedRange(request.headers, sizeBytes, etag);
  const { start, end } = range ?? { start: 0, end: sizeBytes };
  response.statusCode = range === null ? 200 : 206;
  response.setHeader('content-type', contentType);
  response.setHeader('content-length', end - start);
  response.setHeader('accept-ranges', 'bytes');
  response.setHeader('etag', etag);
  response.setHeader('content-disposition', `attachment; filename="${filename}"`);
  if (range !== null) {
    response.setHeader('content-range', `bytes ${start}-${end - 1}/${sizeBytes}`);
  }
  if (isHead) {
    response.end();
    return;
  }
  await sendBlocks(view.read({ start, end }), response);
}

/**
 * Sends the blocks and ends the answer. An answer whose blocks fail is cut, never ended as if it
 * were whole; one whose client has gone, or has stopped to read, is nobody's fault.
 */
export async function sendBlocks(
  blocks: AsyncIterable<Buffer | string>,
  response: ServerResponse,
  stallMs = STALL_MS,
): Promise<void> {
  response.setTimeout(stallMs, () => {
    // Where nothing waits for the client, it is we who have nothing to say.
    if (response.writableLength > 0) response.destroy();
  });
  response.flushHeaders();
  try {
    await pipeline(Readable.from(blocks, { highWaterMark: 1 }), response);
  } catch (error) {
    if (!GONE_CODES.has(codeOf(error))) throw error;
  }
}

/** What a broken connection looks like from here. */
const GONE_CODES: ReadonlySet<unknown> = new Set([
  'ERR_STREAM_PREMATURE_CLOSE',
  'ERR_STREAM_DESTROYED',
  'ERR_STREAM_UNABLE_TO_PIPE',
  'ECONNRESET',
  'EPIPE',
]);

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
