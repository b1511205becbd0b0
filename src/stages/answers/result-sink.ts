/** Writes a result. */

import { closeSync, fsyncSync, openSync } from 'node:fs';
import { writeAll } from '../plan/append-file.ts';
import type { LineRun, LineSink } from './part-cursor.ts';

const BUFFER_BYTES = 256 * 1024;

/** Longer runs are written from where they stand. */
const DIRECT_BYTES = 32 * 1024;

export class ResultSink implements LineSink {
  readonly #fd: number;
  readonly #buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  #filled = 0;

  constructor(path: string) {
    this.#fd = openSync(path, 'w');
  }

  take({ bytes, start, end }: LineRun): void {
    const length = end - start;
    if (this.#filled + length > BUFFER_BYTES) this.#flush();
    if (length >= DIRECT_BYTES) {
      this.#flush();
      writeAll(this.#fd, bytes, start, end);
    } else {
      bytes.copy(this.#buffer, this.#filled, start, end);
      this.#filled += length;
    }
  }

  /** Writes what is left, and syncs. */
  finish(): void {
    this.#flush();
    fsyncSync(this.#fd);
  }

  close(): void {
    closeSync(this.#fd);
  }

  #flush(): void {
    writeAll(this.#fd, this.#buffer, 0, this.#filled);
    this.#filled = 0;
  }
}
