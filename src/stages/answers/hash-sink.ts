/** Tells the sha256 of all lines. */

import { createHash } from 'node:crypto';
import type { LineRun, LineSink } from './part-cursor.ts';

export class HashSink implements LineSink {
  readonly #hash = createHash('sha256');
  #lines = 0;
  #sizeBytes = 0;

  take({ bytes, start, end, lines }: LineRun): void {
    this.#hash.update(bytes.subarray(start, end));
    this.#lines += lines;
    this.#sizeBytes += end - start;
  }

  finish(): { sizeBytes: number; lines: number; sha256: string } {
    const sha256 = this.#hash.digest('hex');
    return { sizeBytes: this.#sizeBytes, lines: this.#lines, sha256 };
  }
}
