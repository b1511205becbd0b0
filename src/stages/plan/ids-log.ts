/** Every id with its place, in input order: in memory while few, else in one file. */

import { closeSync, openSync, readSync } from 'node:fs';
import { writeAll } from './append-file.ts';

const BUFFER_BYTES = 256 * 1024;
/** Words before an id: line low and high, chunk, record, bytes, inputs, length of the id. */
const HEAD_WORDS = 7;
const HEAD_BYTES = HEAD_WORDS * 4;
const TWO_32 = 0x1_0000_0000;

/** Where an id stands and what its request weighs. */
export interface IdPlace {
  /** Counted from 1. */
  line: number;
  /** Index of the chunk, and of the line's record in the chunk's index. */
  chunk: number;
  record: number;
  sizeBytes: number;
  inputs: number;
}

export class IdsLog {
  readonly #path: string;
  #fd = -1;
  #bytes = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  #words = new Uint32Array(this.#bytes.buffer);
  #filled = 0;

  /** The file is made only when the memory is full. */
  constructor(path: string) {
    this.#path = path;
  }

  add(bytes: Uint8Array, start: number, end: number, place: IdPlace): void {
    const size = sizeOf(end - start);
    if (this.#filled + size > this.#bytes.length) this.#makeRoom(size);
    const word = this.#filled >> 2;
    const words = this.#words;
    words[word] = place.line % TWO_32;
    words[word + 1] = Math.floor(place.line / TWO_32);
    words[word + 2] = place.chunk;
    words[word + 3] = place.record;
    words[word + 4] = place.sizeBytes;
    words[word + 5] = place.inputs;
    words[word + 6] = end - start;
    let at = this.#filled + HEAD_BYTES;
    for (let i = start; i < end; i += 1) this.#bytes[at++] = bytes[i] as number;
    this.#filled += size;
  }

  /**
   * Visits all ids in the order in which they were added. The place is one object that is
   * overwritten, and the bytes hold the id only until the visit is over.
   */
  forEach(visit: (place: IdPlace, bytes: Buffer, start: number, end: number) => void): void {
    if (this.#fd < 0) {
      visitAll(this.#bytes, this.#filled, visit);
      return;
    }
    this.#flush();
    let buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
    let filled = 0;
    let position = 0;
    for (;;) {
      const count = readSync(this.#fd, buffer, filled, buffer.length - filled, position);
      if (count === 0) return;
      position += count;
      filled += count;
      const used = visitAll(buffer, filled, visit);
      const source = buffer;
      if (used === 0 && filled === buffer.length) {
        buffer = Buffer.allocUnsafeSlow(2 * buffer.length);
      }
      source.copy(buffer, 0, used, filled);
      filled -= used;
    }
  }

  close(): void {
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = -1;
  }

  #makeRoom(size: number): void {
    this.#flush();
    if (size <= this.#bytes.length) return;
    this.#bytes = Buffer.allocUnsafeSlow(size);
    this.#words = new Uint32Array(this.#bytes.buffer);
  }

  #flush(): void {
    if (this.#fd < 0) this.#fd = openSync(this.#path, 'wx+');
    writeAll(this.#fd, this.#bytes, 0, this.#filled);
    this.#filled = 0;
  }
}

/** Visits the whole records in [0, filled); returns where they end. */
function visitAll(
  bytes: Buffer,
  filled: number,
  visit: (place: IdPlace, bytes: Buffer, start: number, end: number) => void,
): number {
  const words = new Uint32Array(bytes.buffer, 0, bytes.length >> 2);
  const place: IdPlace = { line: 0, chunk: 0, record: 0, sizeBytes: 0, inputs: 0 };
  let at = 0;
  while (at + HEAD_BYTES <= filled) {
    const word = at >> 2;
    const length = words[word + 6] as number;
    const size = sizeOf(length);
    if (at + size > filled) break;
    place.line = (words[word] as number) + (words[word + 1] as number) * TWO_32;
    place.chunk = words[word + 2] as number;
    place.record = words[word + 3] as number;
    place.sizeBytes = words[word + 4] as number;
    place.inputs = words[word + 5] as number;
    visit(place, bytes, at + HEAD_BYTES, at + HEAD_BYTES + length);
    at += size;
  }
  return at;
}

/** A record's bytes, filled up to whole words. */
function sizeOf(idLength: number): number {
  return HEAD_BYTES + Math.ceil(idLength / 4) * 4;
}
