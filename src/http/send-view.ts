/** Sends a view of bytes as a download: all of it, or the one range that was asked for. */

import type { IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { Request, Response } from 'express';
import type { ByteRange, ByteView } from '../service/byte-view.ts';
import { Problem } from './problem.ts';

export interface Download {
  /** The content type. */
  readonly type: string;
  readonly filename: string;
  /** In quotes; it stands for these very bytes. */
  readonly etag: string;
}

/**
 * Resolves when everything is sent, or the client has gone. Blocks are read as the client takes
 * them, and nothing is open between two of them: a slow one costs no more than a connection.
 */
export async function sendView(
  view: ByteView,
  { type, filename, etag }: Download,
  request: Request,
  response: Response,
  signal: AbortSignal,
): Promise<void> {
  const range = rangeOf(request, view.sizeBytes, etag);
  const { start, end } = range ?? { start: 0, end: view.sizeBytes };
  response.status(range === null ? 200 : 206);
  response.setHeader('content-type', type);
  response.setHeader('content-length', end - start);
  response.setHeader('content-disposition', attachment(filename));
  response.setHeader('accept-ranges', 'bytes');
  response.setHeader('etag', etag);
  if (range !== null) {
    response.setHeader('content-range', `bytes ${start}-${end - 1}/${view.sizeBytes}`);
  }
  if (request.method === 'HEAD' || start === end) {
    response.end();
    return;
  }
  try {
    await pipeline(view.read({ start, end }), response);
  } catch (error) {
    // A download may be given up at any time.
    if (!signal.aborted) throw error;
  }
}

/** Null: all of it. Several ranges are answered by all, as any server may. */
function rangeOf(request: Request, sizeBytes: number, etag: string): ByteRange | null {
  if (request.headers.range === undefined || !isSameFor(request, etag)) return null;
  const ranges = request.range(sizeBytes, { combine: true });
  if (ranges === -1) {
    const message = `The range lies outside of the ${sizeBytes} bytes.`;
    const headers = { 'content-range': `bytes */${sizeBytes}` };
    throw new Problem({ status: 416, code: 'range_not_satisfiable', message, headers });
  }
  if (ranges === undefined || ranges === -2 || ranges.type !== 'bytes') return null;
  const [range, ...others] = ranges;
  if (range === undefined || others.length > 0) return null;
  return { start: range.start, end: range.end + 1 };
}

/** A range of something else is worth nothing to who asks for it. */
function isSameFor({ headers }: IncomingMessage, etag: string): boolean {
  const condition = headers['if-range'];
  return condition === undefined || condition === etag;
}

/** RFC 6266: the plain name for old clients, the real one for all others. */
function attachment(filename: string): string {
  const plain = filename.replaceAll(/[^A-Za-z0-9._-]/g, '_');
  return `attachment; filename="${plain}"; filename*=UTF-8''${encoded(filename)}`;
}

function encoded(text: string): string {
  return encodeURIComponent(text).replaceAll(/['()*]/g, (character) => {
    return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
  });
}
