/** Byte ranges of a local file as blocks of a size that stays in the processor's cache. */

import type { FileHandle } from 'node:fs/promises';
import { invariant } from '../../domain/errors.ts';
import type { ByteRange } from '../../ports/batch-provider.ts';

export const BLOCK_BYTES = 256 * 1024;

/** The bytes of all ranges together. Crashes where they are not ascending or overlap. */
export function sizeOf(ranges: readonly ByteRange[]): number {
  let sizeBytes = 0;
  let end = 0;
  for (const range of ranges) {
    invariant(range.start >= end && range.end >= range.start, 'ranges ascend, without overlap');
    sizeBytes += range.end - range.start;
    end = range.end;
  }
  return sizeBytes;
}

/**
 * The ranges' joined bytes. A block is valid until the one after the next is asked for: two
 * buffers are used in turn, so that one can be read while the other is sent.
 */
export async function* blocksOf(
  file: FileHandle,
  ranges: readonly ByteRange[],
): AsyncGenerator<Buffer> {
  let filling = Buffer.allocUnsafeSlow(BLOCK_BYTES);
  let sending = Buffer.allocUnsafeSlow(BLOCK_BYTES);
  let filled = 0;
  for (const range of ranges) {
    let position = range.start;
    while (position < range.end) {
      const want = Math.min(BLOCK_BYTES - filled, range.end - position);
      const { bytesRead } = await file.read(filling, filled, want, position);
      invariant(bytesRead > 0, 'the file to upload is shorter than its ranges');
      position += bytesRead;
      filled += bytesRead;
      if (filled < BLOCK_BYTES) continue;
      [filling, sending] = [sending, filling];
      filled = 0;
      yield sending;
    }
  }
  if (filled > 0) yield filling.subarray(0, filled);
}
