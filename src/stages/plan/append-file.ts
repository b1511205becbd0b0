/** Writing a file from its start to its end through one small buffer, synchronously. */

import { close, closeSync, fsync, openSync, writeSync } from 'node:fs';

/** Runs of at least this size are written straight from the caller's buffer. */
const DIRECT_BYTES = 32 * 1024;
/** Below this, a loop copies faster than a call does. */
const LOOP_BYTES = 64;

export class AppendFile {
  readonly path: string;
  /** Everything appended so far, written or not. */
  sizeBytes = 0;
  #fd: number;
  readonly #buffer: Buffer;
  #filled = 0;

  /** Opens a new file; throws EEXIST where there is one. */
  constructor(path: string, bufferBytes: number) {
    this.path = path;
    this.#fd = openSync(path, 'wx');
    this.#buffer = Buffer.allocUnsafeSlow(bufferBytes);
  }

  append(bytes: Uint8Array, start: number, end: number): void {
    const length = end - start;
    this.sizeBytes += length;
    if (this.#filled + length > this.#buffer.length) this.#flush();
    if (length >= DIRECT_BYTES || length > this.#buffer.length) {
      this.#flush();
      writeAll(this.#fd, bytes, start, end);
    } else if (length < LOOP_BYTES) {
      let at = this.#filled;
      for (let i = start; i < end; i += 1) this.#buffer[at++] = bytes[i] as number;
      this.#filled = at;
    } else {
      this.#buffer.set(bytes.subarray(start, end), this.#filled);
      this.#filled += length;
    }
  }

  /** Room for a record of `length` bytes: its place in the returned buffer is `reservedAt`. */
  reserve(length: number): Buffer {
    if (this.#filled + length > this.#buffer.length) this.#flush();
    this.reservedAt = this.#filled;
    this.#filled += length;
    this.sizeBytes += length;
    return this.#buffer;
  }

  reservedAt = 0;

  /** Writes what is buffered, syncs and closes; the thread goes on meanwhile. */
  async finish(): Promise<void> {
    const fd = this.#take();
    try {
      writeAll(fd, this.#buffer, 0, this.#filled);
      await new Promise<void>((resolve, reject) => {
        fsync(fd, (error) => (error === null ? resolve() : reject(error)));
      });
    } finally {
      await new Promise<void>((resolve) => {
        close(fd, () => resolve());
      });
    }
  }

  /** Closes at once and forgets what is buffered; harmless after `finish`. */
  abandon(): void {
    if (this.#fd >= 0) closeSync(this.#take());
  }

  #flush(): void {
    writeAll(this.#fd, this.#buffer, 0, this.#filled);
    this.#filled = 0;
  }

  #take(): number {
    const fd = this.#fd;
    this.#fd = -1;
    return fd;
  }
}

/** Writes all of [start, end) at the file's own position, or at `position`. */
export function writeAll(
  fd: number,
  bytes: Uint8Array,
  start: number,
  end: number,
  position: number | null = null,
): void {
  let at = start;
  while (at < end) {
    const place = position === null ? null : position + at - start;
    at += writeSync(fd, bytes, at, end - at, place);
  }
}
