/** Writes a result, and tells its sha256, its lines and the digest of its ids on the way. */

import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, openSync } from 'node:fs';
import { IdsDigest } from '../../jsonl/ids-digest.ts';
import { writeAll } from '../plan/append-file.ts';
import { IdFinder } from './id-finder.ts';
import type { JoinedResult } from './join.ts';
import type { RunSink } from './part-cursor.ts';

const BUFFER_BYTES = 256 * 1024;

/** Longer runs are written from where they stand. */
const DIRECT_BYTES = 32 * 1024;

export class ResultSink implements RunSink {
  readonly #fd: number;
  readonly #hash = createHash('sha256');
  readonly #digest = new IdsDigest();
  readonly #ids = new IdFinder();
  readonly #buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  #filled = 0;
  #lines = 0;
  #sizeBytes = 0;

  constructor(path: string) {
    this.#fd = openSync(path, 'w');
  }

  line(bytes: Buffer, start: number, end: number): void {
    this.#ids.addTo(this.#digest, bytes, start, end);
    this.#lines += 1;
  }

  run(bytes: Buffer, start: number, end: number): void {
    const length = end - start;
    if (this.#filled + length > BUFFER_BYTES) this.#flush();
    if (length >= DIRECT_BYTES) {
      this.#flush();
      this.#write(bytes, start, end);
    } else {
      bytes.copy(this.#buffer, this.#filled, start, end);
      this.#filled += length;
    }
  }

  finish(): JoinedResult {
    this.#flush();
    fsyncSync(this.#fd);
    return {
      sizeBytes: this.#sizeBytes,
      sha256: this.#hash.digest('hex'),
      lines: this.#lines,
      idsDigest: this.#digest.hex(),
    };
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
