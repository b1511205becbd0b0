/** Keeps the answer lines that belong to nobody, raw: they may have been paid for. */

import { closeSync, fsyncSync, openSync } from 'node:fs';
import { writeAll } from '../plan/append-file.ts';
import type { ChunkOutcomes } from './chunk-outcomes.ts';

const PIECE_BYTES = 256 * 1024;
const NEWLINE = 0x0a;

/** Writes strangers and lines that do not parse, each with a newline, fsynced. */
export function writeQuarantine(outcomes: ChunkOutcomes, path: string): void {
  const { files, places } = outcomes;
  const piece = Buffer.allocUnsafe(PIECE_BYTES + 1);
  const fd = openSync(path, 'w');
  try {
    for (let answer = 0; answer < places.count; answer += 1) {
      if (places.record(answer) >= 0) continue;
      let left = places.length(answer);
      let offset = places.offset(answer);
      while (left >= 0) {
        const length = Math.min(left, PIECE_BYTES);
        files.read(places.file(answer), piece, 0, length, offset);
        offset += length;
        left -= length;
        if (left === 0) piece[length] = NEWLINE;
        writeAll(fd, piece, 0, left === 0 ? length + 1 : length);
        if (left === 0) break;
      }
    }
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
