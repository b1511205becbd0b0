/**
 * The bytes that are put into a request line for what it leaves out: members right after the brace
 * that opens the line, and a model right after the brace that opens its body. Every other byte of
 * the line stays as it is.
 */

import type { JobId } from '../../domain/ids.ts';
import { insertedCustomId } from '../../domain/ids.ts';

/** An endpoint is a short constant, a job id has 30 characters, a line number at most 16 digits. */
const HEAD_BYTES = 256;
const ID_KEY = '"custom_id":"';
const METHOD_MEMBER = '"method":"POST",';

/** One object for a whole run. */
export class Splice {
  /** Inserted after the line's opening brace: [0, headLength) of it. */
  readonly head = Buffer.allocUnsafeSlow(HEAD_BYTES);
  headLength = 0;
  /** Where the inserted custom_id stands in the head; idEnd 0: none is inserted. */
  idStart = 0;
  idEnd = 0;
  /** Inserted after the body's opening brace: [0, tailLength) of it. */
  readonly tail: Buffer;
  tailLength = 0;
  readonly #job: JobId;
  readonly #modelBytes: number;

  /** `model` is inserted by `addModel`; null: it never is. */
  constructor(job: JobId, model: string | null) {
    this.#job = job;
    this.tail = Buffer.from(model === null ? '' : `"model":${JSON.stringify(model)},`);
    this.#modelBytes = this.tail.length - 1;
  }

  /** Everything that is inserted, in bytes. */
  get length(): number {
    return this.headLength + this.tailLength;
  }

  clear(): void {
    this.headLength = 0;
    this.tailLength = 0;
    this.idEnd = 0;
  }

  addCustomId(line: number): void {
    this.#write(ID_KEY);
    this.idStart = this.headLength;
    this.#write(insertedCustomId(this.#job, line));
    this.idEnd = this.headLength;
    this.#write('",');
  }

  addMethod(): void {
    this.#write(METHOD_MEMBER);
  }

  addUrl(endpoint: string): void {
    this.#write(`"url":"${endpoint}",`);
  }

  addModel(bodyIsEmpty: boolean): void {
    this.tailLength = bodyIsEmpty ? this.#modelBytes : this.tail.length;
  }

  #write(text: string): void {
    this.headLength += this.head.write(text, this.headLength, 'latin1');
  }
}
