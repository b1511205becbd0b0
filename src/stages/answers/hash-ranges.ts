/** Hashes what an attempt uploads, off the event loop. */

import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { invariant } from '../../domain/errors.ts';
import type { ByteRange } from '../../ports/batch-provider.ts';

/** Small enough to stay in the processor's cache. */
const BLOCK_BYTES = 256 * 1024;

/** The sha256 of the ranges' joined bytes. Throws the system's errors, and on a short file. */
export function hashRanges(task: { path: string; ranges: readonly ByteRange[] }): string {
  const hash = createHash('sha256');
  const block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
  const fd = openSync(task.path, 'r');
  try {
    for (const { start, end } of task.ranges) {
      for (let position = start; position < end;) {
        const want = Math.min(BLOCK_BYTES, end - position);
        const read = readSync(fd, block, 0, want, position);
        invariant(read > 0, 'the file is as long as its ranges');
        hash.update(block.subarray(0, read));
        position += read;
      }
    }
  } finally {
    closeSync(fd);
  }
  return hash.digest('hex');
}
