/** Ids are compared as decoded bytes: `\u00e9` and `é` are one id. */

import { hasEscape } from './answer-keys.ts';

/** The id is bytes[start, end). */
export interface DecodedId {
  bytes: Buffer;
  start: number;
  end: number;
}

const shared: DecodedId = { bytes: Buffer.alloc(0), start: 0, end: 0 };

/**
 * The decoded id of what stands between quotes in [start, end): the very bytes where nothing is
 * escaped. The returned object is the same every time; the next call changes it.
 */
export function decodedId(bytes: Buffer, start: number, end: number): DecodedId {
  if (hasEscape(bytes, start, end)) {
    const text = JSON.parse(`"${bytes.toString('utf8', start, end)}"`) as string;
    shared.bytes = Buffer.from(text, 'utf8');
    shared.start = 0;
    shared.end = shared.bytes.length;
  } else {
    shared.bytes = bytes;
    shared.start = start;
    shared.end = end;
  }
  return shared;
}
