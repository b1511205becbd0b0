/** Picks the succeeded or the failed lines out of a result. */

import { ResultLines } from './result-lines.ts';

const BLOCK_BYTES = 256 * 1024;

/**
 * Yields the lines, byte for byte, in order and with their newlines, in blocks that are the
 * caller's to keep. A line that cannot be read counts as failed.
 */
export function* filterResult(resultPath: string, wanted: 'ok' | 'failed'): Generator<Buffer> {
  const lines = new ResultLines(resultPath);
  let block = Buffer.allocUnsafe(BLOCK_BYTES);
  let filled = 0;
  try {
    while (lines.next()) {
      if (lines.isSuccess !== (wanted === 'ok')) continue;
      const length = lines.end + 1 - lines.start;
      if (filled > 0 && filled + length > block.length) {
        yield block.subarray(0, filled);
        block = Buffer.allocUnsafe(Math.max(BLOCK_BYTES, length));
        filled = 0;
      }
      if (length > block.length) block = Buffer.allocUnsafe(length);
      lines.bytes.copy(block, filled, lines.start, lines.end + 1);
      filled += length;
    }
    if (filled > 0) yield block.subarray(0, filled);
  } finally {
    lines.close();
  }
}
