/** The digest of a set's ids in input order: what a result is verified against. */

import { createHash } from 'node:crypto';

const STEP_BYTES = 64 * 1024;
const COLON = 0x3a;
const COMMA = 0x2c;
const DASH = 0x2d;
/** Digits of a length, colon and comma. */
const FRAME_BYTES = 24;

/** sha256 over netstrings (`<length in bytes>:<bytes>,`), `-` for a line without an id. */
export class IdsDigest {
  readonly #hash = createHash('sha256');
  readonly #buffer = Buffer.allocUnsafeSlow(STEP_BYTES);
  #filled = 0;

  /** Adds the decoded id that stands in [start, end). */
  add(bytes: Uint8Array, start: number, end: number): void {
    const length = end - start;
    if (this.#filled + length + FRAME_BYTES > STEP_BYTES) this.#flush();
    this.#length(length);
    if (length + FRAME_BYTES > STEP_BYTES) {
      this.#flush();
      this.#hash.update(bytes.subarray(start, end));
    } else {
      let at = this.#filled;
      for (let i = start; i < end; i += 1) this.#buffer[at++] = bytes[i] as number;
      this.#filled = at;
    }
    this.#buffer[this.#filled++] = COMMA;
  }

  /** Adds a rejected line whose id could not be read. */
  addMissing(): void {
    if (this.#filled === STEP_BYTES) this.#flush();
    this.#buffer[this.#filled++] = DASH;
  }

  /** The digest in hexadecimal; nothing can be added afterwards. */
  hex(): string {
    this.#flush();
    return this.#hash.digest('hex');
  }

  #length(length: number): void {
    if (length >= 10 && length < 100) {
      this.#buffer[this.#filled++] = 0x30 + Math.trunc(length / 10);
      this.#buffer[this.#filled++] = 0x30 + (length % 10);
    } else {
      this.#filled += this.#buffer.write(String(length), this.#filled, 'latin1');
    }
    this.#buffer[this.#filled++] = COLON;
  }

  #flush(): void {
    this.#hash.update(this.#buffer.subarray(0, this.#filled));
    this.#filled = 0;
  }
}
