/**
 * Checks what a provider answered: every line of an attempt's output and error file is parsed
 * once, strictly; what is known of it goes into the answers index.
 */

import { isUtf8 } from 'node:buffer';
import { closeSync, fsyncSync, openSync } from 'node:fs';
import type { AnswerKind, ClassCounts, UsageByModel } from '../../domain/answer.ts';
import { SUCCESS } from '../../domain/answer.ts';
import { AnswerScanner } from './answer-scanner.ts';
import { AnswersIndexWriter, Entry, NO_NAME } from './answers-index.ts';
import { ClassTally, UsageTally } from './answer-tallies.ts';
import { decodedId } from './decoded-id.ts';
import type { DecodedId } from './decoded-id.ts';
import { LineBlocks } from './line-blocks.ts';

export interface AnswersTask {
  /** Null: the batch has no such file. */
  readonly outputPath: string | null;
  readonly errorPath: string | null;
  /** Written anew. */
  readonly indexPath: string;
}

export interface AnswersReport {
  /** Lines that are not blank. */
  readonly lines: number;
  /** Lines with a custom_id, by what follows from them. */
  readonly counts: Readonly<Record<AnswerKind, number>>;
  /** An answer says that the account has to be paid up first. */
  readonly hasQuota: boolean;
  readonly byClass: ClassCounts;
  /** Of all lines with a custom_id. */
  readonly usage: UsageByModel;
  /** Not UTF-8, not a JSON object, or without a string custom_id. */
  readonly unparsable: number;
  /** The first of them. */
  readonly unparsableAt: readonly UnparsableLine[];
  /** A file's last line came without its newline: the download was cut. */
  readonly cut: boolean;
}

export interface UnparsableLine {
  readonly file: 'output' | 'errors';
  /** Counted from 1; blank lines count. */
  readonly line: number;
  readonly offset: number;
}

const UNPARSABLE_LISTED = 20;

/** More names than this, of classes or of models, become `other`. */
const MAX_NAMES = 200;

const BYTE_ORDER_MARK_BYTES = 3;

/**
 * Reads both files once and writes the index, fsynced. Lines that cannot be read are counted,
 * never fatal. Throws the system's errors only.
 */
export function checkAnswers(task: AnswersTask): AnswersReport {
  const fd = openSync(task.indexPath, 'w');
  try {
    const check = new AnswersCheck(fd);
    if (task.outputPath !== null) check.readFile(task.outputPath, 'output');
    if (task.errorPath !== null) check.readFile(task.errorPath, 'errors');
    const report = check.finish();
    fsyncSync(fd);
    return report;
  } finally {
    closeSync(fd);
  }
}

class AnswersCheck {
  readonly #scanner = new AnswerScanner();
  readonly #writer: AnswersIndexWriter;
  readonly #entry = new Entry();
  readonly #classes = new ClassTally();
  readonly #usage = new UsageTally();
  readonly #modelNames = new Set<string>();
  readonly #unparsableAt: UnparsableLine[] = [];
  /** The last model seen: its bytes, so that no string is made for each line. */
  #modelBytes = Buffer.alloc(0);
  #model = '';
  #modelNumber = NO_NAME;
  #lines = 0;
  #unparsable = 0;
  #cut = false;
  /** Where the file being read is. */
  #file: UnparsableLine['file'] = 'output';
  #lineNumber = 0;

  constructor(fd: number) {
    this.#writer = new AnswersIndexWriter(fd);
  }

  readFile(path: string, file: UnparsableLine['file']): void {
    this.#file = file;
    this.#lineNumber = 0;
    this.#entry.isError = file === 'errors';
    const fd = openSync(path, 'r');
    const blocks = new LineBlocks(fd);
    try {
      while (blocks.next()) this.#readBlock(blocks);
      for (const { offset, length } of blocks.overlong) this.#addUnparsable(offset, length, null);
      this.#cut ||= blocks.cut;
    } finally {
      closeSync(fd);
      blocks.release();
    }
  }

  finish(): AnswersReport {
    this.#writer.finish();
    const counts = this.#classes.kinds();
    return {
      lines: this.#lines,
      counts,
      hasQuota: counts.quota > 0,
      byClass: this.#classes.counts(),
      usage: this.#usage.sums(),
      unparsable: this.#unparsable,
      unparsableAt: this.#unparsableAt,
      cut: this.#cut,
    };
  }

  #readBlock(blocks: LineBlocks): void {
    const { bytes, end, offset } = blocks;
    const isText = isUtf8(bytes.subarray(0, end));
    this.#scanner.attach(bytes);
    let start = offset === 0 && startsWithMark(bytes) ? BYTE_ORDER_MARK_BYTES : 0;
    while (start < end) {
      const newline = bytes.indexOf(0x0a, start);
      this.#lineNumber += 1;
      if (this.#scanner.skipSpace(start) < newline) {
        this.#readLine(bytes, start, newline, offset, isText);
      }
      start = newline + 1;
    }
  }

  #readLine(bytes: Buffer, start: number, end: number, offset: number, isText: boolean): void {
    const scanner = this.#scanner;
    const isJson = scanner.scan(bytes, start, end);
    const readable = isJson && (isText || isUtf8(bytes.subarray(start, end)));
    if (!readable || scanner.idStart < 0) {
      this.#addUnparsable(offset + start, end - start, bytes);
      return;
    }
    this.#lines += 1;
    const entry = this.#entry;
    entry.offset = offset + start;
    entry.length = end - start;
    this.#setClass();
    this.#setUsage(bytes);
    const id = decodedId(bytes, scanner.idStart, scanner.idEnd);
    this.#writer.add(entry, id.bytes, id.start, id.end);
  }

  #setClass(): void {
    const entry = this.#entry;
    const answer = this.#scanner.isSuccess() ? SUCCESS : this.#scanner.classify();
    const counted = this.#classes.add(answer, MAX_NAMES);
    entry.kind = counted.kind;
    entry.classNumber = this.#writer.nameNumber(counted.class);
  }

  #setUsage(bytes: Buffer): void {
    const { usage, modelStart, modelEnd } = this.#scanner;
    const entry = this.#entry;
    entry.input = usage.input;
    entry.output = usage.output;
    entry.total = usage.total;
    entry.cached = usage.cached;
    entry.reasoning = usage.reasoning;
    entry.modelNumber = NO_NAME;
    if (modelStart < 0) return;
    this.#setModel(bytes, modelStart, modelEnd);
    entry.modelNumber = this.#modelNumber;
    this.#usage.add(this.#model, entry);
  }

  #setModel(bytes: Buffer, start: number, end: number): void {
    const last = this.#modelBytes;
    const isSame = last.compare(bytes, start, end) === 0;
    if (isSame && this.#modelNumber !== NO_NAME) return;
    this.#modelBytes = Buffer.from(bytes.subarray(start, end));
    const name = JSON.parse(`"${this.#modelBytes.toString('utf8')}"`) as string;
    const isKnown = this.#modelNames.has(name);
    this.#model = isKnown || this.#modelNames.size < MAX_NAMES ? name : 'other';
    this.#modelNames.add(this.#model);
    this.#modelNumber = this.#writer.nameNumber(this.#model);
  }

  /** `bytes`: where the scanner has just looked for the line's id; null: nobody looked. */
  #addUnparsable(offset: number, length: number, bytes: Buffer | null): void {
    this.#lines += 1;
    this.#unparsable += 1;
    if (this.#unparsableAt.length < UNPARSABLE_LISTED) {
      this.#unparsableAt.push({ file: this.#file, line: this.#lineNumber, offset });
    }
    const entry = this.#entry;
    entry.kind = 'unparsable';
    entry.offset = offset;
    entry.length = length;
    entry.classNumber = NO_NAME;
    entry.modelNumber = NO_NAME;
    const id = bytes === null ? null : this.#idBeforeTheBreak(bytes);
    if (id === null) this.#writer.add(entry, this.#modelBytes, 0, 0);
    else this.#writer.add(entry, id.bytes, id.start, id.end);
  }

  /** Whose answer an unreadable line was, where it says so before it breaks. */
  #idBeforeTheBreak(bytes: Buffer): DecodedId | null {
    const { idStart, idEnd } = this.#scanner;
    const isText = idStart >= 0 && isUtf8(bytes.subarray(idStart, idEnd));
    return isText ? decodedId(bytes, idStart, idEnd) : null;
  }
}

function startsWithMark(bytes: Buffer): boolean {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
}
