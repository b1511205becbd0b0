/** Puts lines into the files of their chunks; neighbours of one chunk are written as one run. */

import { FLAG_ESCAPED_ID, FLAG_NO_ID, FLAG_REJECTED } from '../../jsonl/line-index.ts';
import type { Rejection } from '../../domain/request.ts';
import type { DraftChunk } from './chunk.ts';
import type { ChunkFiles } from './chunk-files.ts';
import { ownErrorLine } from '../own-error-line.ts';
import type { Splice } from './splice.ts';

/** Where a line and its id stand; positions in `buffer`, but the id's in `idBytes`. */
export interface PlacedLine {
  buffer: Buffer;
  start: number;
  /** After the newline. */
  end: number;
  line: number;
  idBytes: Buffer;
  idStart: number;
  idEnd: number;
  idEscaped: boolean;
}

/** One to be filled again for every line. */
export function blankPlace(): PlacedLine {
  const noBytes = Buffer.alloc(0);
  return {
    buffer: noBytes,
    start: 0,
    end: 0,
    line: 0,
    idBytes: noBytes,
    idStart: 0,
    idEnd: 0,
    idEscaped: false,
  };
}

export class LineWriter {
  readonly #record = { line: 0, flags: 0, offset: 0, length: 0, idOffset: 0, idLength: 0 };
  #files: ChunkFiles | null = null;
  #buffer: Buffer = Buffer.alloc(0);
  #start = 0;
  #end = 0;

  /** Adds a request that the packer just took into the chunk; `length` as it is sent. */
  request(chunk: DraftChunk, placed: PlacedLine, length: number): void {
    if (chunk.files === null) return;
    const record = this.#record;
    record.flags = placed.idEscaped ? FLAG_ESCAPED_ID : 0;
    record.offset = chunk.sizeBytes - length;
    record.length = length;
    this.#addRecord(chunk.files, placed);
    if (this.#files !== chunk.files || this.#end !== placed.start) {
      this.flush();
      this.#files = chunk.files;
      this.#buffer = placed.buffer;
      this.#start = placed.start;
    }
    this.#end = placed.end;
  }

  /** As `request`, with the splice after the braces at `open` and `bodyOpen`. */
  splicedRequest(
    chunk: DraftChunk,
    placed: PlacedLine,
    splice: Splice,
    open: number,
    bodyOpen: number,
  ): void {
    if (chunk.files === null) return;
    const { buffer, start, end } = placed;
    const record = this.#record;
    record.flags = placed.idEscaped ? FLAG_ESCAPED_ID : 0;
    record.length = end - start + splice.length;
    record.offset = chunk.sizeBytes - record.length;
    this.#addRecord(chunk.files, placed);
    this.flush();
    const { requests } = chunk.files;
    requests.append(buffer, start, open + 1);
    requests.append(splice.head, 0, splice.headLength);
    requests.append(buffer, open + 1, bodyOpen + 1);
    requests.append(splice.tail, 0, splice.tailLength);
    requests.append(buffer, bodyOpen + 1, end);
  }

  /** Adds a rejected line; one without an id has idStart = idEnd. */
  rejected(chunk: DraftChunk, placed: PlacedLine, rejection: Rejection): void {
    if (chunk.files === null) return;
    const { idBytes, idStart, idEnd, line } = placed;
    const rawId = idStart === idEnd ? null : idBytes.subarray(idStart, idEnd);
    const answer = ownErrorLine(rawId, line, rejection);
    const record = this.#record;
    const idFlag = rawId === null ? FLAG_NO_ID : 0;
    record.flags = FLAG_REJECTED | idFlag | (placed.idEscaped ? FLAG_ESCAPED_ID : 0);
    record.offset = chunk.files.addErrorLine(answer);
    record.length = answer.length;
    this.#addRecord(chunk.files, placed);
  }

  /** Writes the pending run; to be called before its buffer changes or its chunk closes. */
  flush(): void {
    if (this.#files !== null) this.#files.requests.append(this.#buffer, this.#start, this.#end);
    this.#files = null;
  }

  /** Drops the pending run: its files are gone. */
  forget(): void {
    this.#files = null;
  }

  #addRecord(files: ChunkFiles, placed: PlacedLine): void {
    const record = this.#record;
    record.line = placed.line;
    record.idOffset = files.addId(placed.idBytes, placed.idStart, placed.idEnd);
    record.idLength = placed.idEnd - placed.idStart;
    files.addRecord(record);
  }
}
