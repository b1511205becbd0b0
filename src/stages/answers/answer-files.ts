/** The files that hold a chunk's answers, opened when they are needed, and reads that are whole. */

import { closeSync, openSync, readSync } from 'node:fs';

export class AnswerFiles {
  readonly #paths: string[] = [];
  readonly #fds: number[] = [];

  /** Adds a file; returns its number. */
  add(path: string): number {
    this.#fds.push(-1);
    return this.#paths.push(path) - 1;
  }

  /** Fills bytes[at, at + length) from byte `offset` of the file. Throws where it ends before. */
  read(file: number, bytes: Buffer, at: number, length: number, offset: number): void {
    const fd = this.#open(file);
    for (let done = 0; done < length;) {
      const count = readSync(fd, bytes, at + done, length - done, offset + done);
      if (count === 0) throw new Error(`${this.#paths[file]} is shorter than its index says`);
      done += count;
    }
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
