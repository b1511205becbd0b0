/** The files that hold a chunk's answers, opened when they are needed, and reads that are whole. */

import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

export class AnswerFiles {
  readonly #paths: string[] = [];
  readonly #fds: number[] = [];

  /** Adds a file; returns its number. */
  add(path: string): number {
    this.#fds.push(-1);
    return this.#paths.push(path) - 1;
  }

  get count(): number {
    return this.#paths.length;
  }

  sizeBytes(file: number): number {
    return fstatSync(this.#open(file)).size;
  }

  /** Fills bytes[at, at + length) from byte `offset` of the file. Throws where it ends before. */
  read(file: number, bytes: Buffer, at: number, length: number, offset: number): void {
    const count = this.readSome(file, bytes, at, length, offset);
    if (count < length) throw new Error(`${this.#paths[file]} is shorter than its index says`);
  }

  /** The same, but stops at the end of the file; returns the number of bytes. */
  readSome(file: number, bytes: Buffer, at: number, length: number, offset: number): number {
    const fd = this.#open(file);
    let done = 0;
    while (done < length) {
      const count = readSync(fd, bytes, at + done, length - done, offset + done);
      if (count === 0) break;
      done += count;
    }
    return done;
  }

  close(): void {
    for (const fd of this.#fds) if (fd >= 0) closeSync(fd);
    this.#fds.fill(-1);
  }

  #open(file: number): number {
    const fd = this.#fds[file] as number;
    return fd >= 0 ? fd : (this.#fds[file] = openSync(this.#paths[file] as string, 'r'));
  }
}
