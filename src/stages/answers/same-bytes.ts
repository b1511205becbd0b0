/** Compares two answer lines where they stand. */

import type { AnswerFiles } from './answer-files.ts';
import type { AnswerPlaces } from './answer-places.ts';

const PIECE_BYTES = 64 * 1024;

/** Whether both answers are the same bytes; bounded memory at any length. */
export function sameBytes(
  files: AnswerFiles,
  places: AnswerPlaces,
  one: number,
  other: number,
): boolean {
  const length = places.length(one);
  if (length !== places.length(other)) return false;
  const size = Math.min(length, PIECE_BYTES);
  const left = Buffer.allocUnsafe(size);
  const right = Buffer.allocUnsafe(size);
  for (let done = 0; done < length; done += size) {
    const piece = Math.min(size, length - done);
    files.read(places.file(one), left, 0, piece, places.offset(one) + done);
    files.read(places.file(other), right, 0, piece, places.offset(other) + done);
    if (left.compare(right, 0, piece, 0, piece) !== 0) return false;
  }
  return true;
}
