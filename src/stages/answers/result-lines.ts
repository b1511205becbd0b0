/** Goes through a result line by line, each one parsed strictly. */

import { isUtf8 } from 'node:buffer';
import { closeSync, openSync } from 'node:fs';
import type { RejectionCode } from '../../domain/request.ts';
import { AnswerScanner } from './answer-scanner.ts';
import { decodedId } from './decoded-id.ts';
import type { DecodedId } from './decoded-id.ts';
import { LineBlocks } from './line-blocks.ts';

const NEWLINE = 0x0a;

/** A rejected line keeps its id, whichever other line has the same. */
const REJECTIONS: Readonly<Record<RejectionCode, true>> = {
  invalid_utf8: true,
  invalid_json: true,
  not_an_object: true,
  line_too_long: true,
  nested_too_deep: true,
  duplicate_key: true,
  invalid_custom_id: true,
  duplicate_custom_id: true,
  invalid_method: true,
  missing_url: true,
  unknown_url: true,
  mixed_url: true,
  missing_body: true,
  invalid_body: true,
  missing_model: true,
  invalid_model: true,
  streaming_unsupported: true,
  missing_input: true,
  too_many_inputs: true,
  request_too_large: true,
};

export class ResultLines {
  /** Tells of the current line where that is readable. */
  readonly scanner = new AnswerScanner();
  /** The current line is bytes[start, end), its newline stands at `end`. */
  start = 0;
  end = -1;
  /** Its number, counted from 1. */
  line = 0;
  /** Whether it is a JSON object with a custom_id, or with `"custom_id": null`. */
  isReadable = false;

  readonly #fd: number;
  readonly #blocks: LineBlocks;
  readonly #onBlock: (bytes: Buffer) => void;
  #isText = false;

  /** `onBlock` gets every byte of the file, in order. */
  constructor(path: string, onBlock: (bytes: Buffer) => void = () => undefined) {
    this.#fd = openSync(path, 'r');
    this.#blocks = new LineBlocks(this.#fd);
    this.#onBlock = onBlock;
  }

  /** Goes to the next line; false at the end. */
  next(): boolean {
    this.start = this.end + 1;
    if (this.start >= this.#blocks.end && !this.#nextBlock()) return false;
    const { bytes } = this;
    this.end = bytes.indexOf(NEWLINE, this.start);
    this.line += 1;
    const isText = this.#isText || isUtf8(bytes.subarray(this.start, this.end));
    const { scanner } = this;
    const isAnswer = isText && scanner.scan(bytes, this.start, this.end);
    this.isReadable = isAnswer && (scanner.idStart >= 0 || scanner.idIsNull);
    return true;
  }

  get bytes(): Buffer {
    return this.#blocks.bytes;
  }

  /** Where the current line begins in the file. */
  get offset(): number {
    return this.#blocks.offset + this.start;
  }

  /** Bytes of the current line with its newline. */
  get length(): number {
    return this.end + 1 - this.start;
  }

  /** Makes line number `line`, which begins at the byte `offset` of the file, the next one. */
  seek(offset: number, line: number): void {
    const inBlock = offset - this.#blocks.offset;
    const isThere = inBlock >= 0 && inBlock < this.#blocks.end;
    if (!isThere) this.#blocks.seek(offset);
    this.end = (isThere ? inBlock : 0) - 1;
    this.line = line - 1;
  }

  /** Whether the current line answers its request. */
  get isSuccess(): boolean {
    if (!this.isReadable) return false;
    return this.scanner.isSuccess() || this.scanner.classify().kind === 'success';
  }

  /** The current line's decoded id, valid until the next call; null where it has none. */
  get id(): DecodedId | null {
    const { idStart, idEnd } = this.scanner;
    return this.isReadable && idStart >= 0 ? decodedId(this.bytes, idStart, idEnd) : null;
  }

  /** Whether another line may have the same id. */
  get mayRepeat(): boolean {
    const { scanner } = this;
    return scanner.isOwn && Object.hasOwn(REJECTIONS, scanner.error.code(this.bytes) ?? '');
  }

  /** After the last line: what is wrong with the file as a whole. */
  get problems(): string[] {
    const { overlong, cut } = this.#blocks;
    const problems = overlong.map(
      ({ offset }) => `The line at byte ${offset} is too long to read.`,
    );
    if (cut) problems.push('The last line has no newline: the file is cut.');
    return problems;
  }

  close(): void {
    closeSync(this.#fd);
    this.#blocks.release();
  }

  #nextBlock(): boolean {
    const blocks = this.#blocks;
    if (!blocks.next()) return false;
    this.#onBlock(blocks.bytes.subarray(0, blocks.cut ? blocks.end - 1 : blocks.end));
    this.#isText = isUtf8(blocks.bytes.subarray(0, blocks.end));
    this.start = 0;
    return true;
  }
}
