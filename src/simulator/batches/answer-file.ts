/** A draft of an output or error file: lines are gathered and written in large pieces. */

import { type FileHandle, open, rm } from 'node:fs/promises';

const GATHERED_BYTES = 512 * 1024;

export class AnswerFile {
  readonly path: string;
  readonly #handle: FileHandle;
  #pieces: Buffer[] = [];
  #gatheredBytes = 0;
  #sizeBytes = 0;
  #isOpen = true;

  private constructor(path: string, handle: FileHandle) {
    this.path = path;
    this.#handle = handle;
  }

  static async open(path: string): Promise<AnswerFile> {
    return new AnswerFile(path, await open(path, 'w'));
  }

  /** Takes the bytes of whole lines. */
  append(lines: Buffer): void {
    this.#pieces.push(lines);
    this.#gatheredBytes += lines.length;
  }

  /** Writes what is gathered, if it is worth it. */
  async flush(): Promise<void> {
    if (this.#gatheredBytes >= GATHERED_BYTES) await this.#write();
  }

  /** Writes everything and resolves to the size in bytes. */
  async finish(): Promise<number> {
    await this.#write();
    await this.#close();
    return this.#sizeBytes;
  }

  /** Removes the draft; harmless where it has been moved away. */
  async discard(): Promise<void> {
    await this.#close();
    await rm(this.path, { force: true });
  }

  async #write(): Promise<void> {
    if (this.#gatheredBytes === 0) return;
    const bytes = Buffer.concat(this.#pieces, this.#gatheredBytes);
    this.#pieces = [];
    this.#gatheredBytes = 0;
    for (let at = 0; at < bytes.length;) {
      at += (await this.#handle.write(bytes, at)).bytesWritten;
    }
    this.#sizeBytes += bytes.length;
  }

  async #close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await this.#handle.close();
  }
}
