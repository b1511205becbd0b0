/** The one range of bytes that a request may ask for (RFC 9110, section 14). */

import type { IncomingHttpHeaders } from 'node:http';
import { Problem } from './problem.ts';

/** Half-open. */
export interface AskedRange {
  readonly start: number;
  readonly end: number;
}

const RANGE = /^bytes=[ \t]*(\d{0,15})-(\d{0,15})[ \t]*$/i;

/**
 * Null: all is wanted. A range that is none, or several, counts as not asked for; one that begins
 * behind the end throws a Problem of 416. `etag` is what If-Range has to name.
 */
export function askedRange(
  headers: IncomingHttpHeaders,
  sizeBytes: number,
  etag: string,
): AskedRange | null {
  const ifRange = headers['if-range'];
  if (ifRange !== undefined && ifRange !== etag) return null;
  const [, first = '', last = ''] = RANGE.exec(headers.range ?? '') ?? [];
  if (first === '' && last === '') return null;
  if (first !== '' && last !== '' && Number(last) < Number(first)) return null;
  const isSuffix = first === '';
  const start = isSuffix ? Math.max(0, sizeBytes - Number(last)) : Number(first);
  const end = isSuffix || last === '' ? sizeBytes : Math.min(sizeBytes, Number(last) + 1);
  if (start >= sizeBytes || start >= end) {
    throw new Problem({
      status: 416,
      code: 'range_not_satisfiable',
      message: `There are ${sizeBytes} bytes, and the range begins behind them.`,
      headers: { 'content-range': `bytes */${sizeBytes}` },
    });
  }
  return { start, end };
}
