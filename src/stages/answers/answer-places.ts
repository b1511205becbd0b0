/** Where each answer line of a chunk stands, in columns: an answer is named by its number. */

import { releaseMemory } from './release-memory.ts';

export class AnswerPlaces {
  count = 0;
  #files = new Uint16Array(1024);
  #offsets = new Float64Array(1024);
  #lengths = new Float64Array(1024);
  #records = new Int32Array(1024);

  /** `record` -1: the line answers nothing of the chunk. Returns the answer's number. */
  add(file: number, offset: number, length: number, record: number): number {
    const number = this.count;
    if (number === this.#files.length) this.#grow();
    this.#files[number] = file;
    this.#offsets[number] = offset;
    this.#lengths[number] = length;
    this.#records[number] = record;
    this.count = number + 1;
    return number;
  }

  file(number: number): number {
    return this.#files[number] as number;
  }

  offset(number: number): number {
    return this.#offsets[number] as number;
  }

  /** Bytes without the newline. */
  length(number: number): number {
    return this.#lengths[number] as number;
  }

  record(number: number): number {
    return this.#records[number] as number;
  }

  /** Gives the memory back; nothing may be asked afterwards. */
  release(): void {
    releaseMemory(this.#files);
    releaseMemory(this.#offsets);
    releaseMemory(this.#lengths);
    releaseMemory(this.#records);
  }

  #grow(): void {
    const size = this.#files.length * 2;
    this.#files = resized(this.#files, new Uint16Array(size));
    this.#offsets = resized(this.#offsets, new Float64Array(size));
    this.#lengths = resized(this.#lengths, new Float64Array(size));
    this.#records = resized(this.#records, new Int32Array(size));
  }
}

function resized<Column extends Uint16Array | Float64Array | Int32Array>(
  from: Column,
  to: Column,
): Column {
  to.set(from);
  releaseMemory(from);
  return to;
}
