/** Writes a result and tells its sha256 on the way. */

import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, openSync } from 'node:fs';
import { writeAll } from '../plan/append-file.ts';
import type { LineSink } from './part-cursor.ts';

const BUFFER_BYTES = 256 * 1024;

/** Longer runs are written from where they stand. */
const DIRECT_BYTES = 32 * 1024;

export class ResultSink implements LineSink {
  readonly #fd: number;
  readonly #hash = createHash('sha256');
  readonly #buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  #filled = 0;
  #lines = 0;
  #sizeBytes = 0;

  constructor(path: string) {
    this.#fd = openSync(path, 'w');
  }

  run(bytes: Buffer, start: number, end: number, lines: number): void {
    const length = end - start;
    this.#lines += lines;
    if (this.#filled + length > BUFFER_BYTES) this.#flush();
    if (length >= DIRECT_BYTES) {
      this.#flush();
      this.#write(bytes, start, end);
    } else {
      bytes.copy(this.#buffer, this.#filled, start, end);
      this.#filled += length;
    }
  }

  finish(): { sizeBytes: number; sha256: string; lines: number } {
    this.#flush();
    fsyncSync(this.#fd);
    const sha256 = this.#hash.digest('hex');
    return { sizeBytes: this.#sizeBytes, sha256, lines: this.#lines };
  }

  close(): void {
    closeSync(this.#fd);
  }

  #flush(): void {
    this.#write(this.#buffer, 0, this.#filled);
    this.#filled = 0;
  }

  #write(bytes: Buffer, start: number, end: number): void {
    this.#hash.update(bytes.subarray(start, end));
    writeAll(this.#fd, bytes, start, end);
    this.#sizeBytes += end - start;
  }
}
