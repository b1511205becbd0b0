/** What is known of each record of a chunk, folded from its attempts in their order. */

import { readFileSync } from 'node:fs';
import type { UsageByModel } from '../../domain/answer.ts';
import type { ValidationError } from '../../domain/chunk.ts';
import { LineIndex } from '../../jsonl/line-index.ts';
import { AnswerFiles } from './answer-files.ts';
import { AnswerPlaces } from './answer-places.ts';
import { UsageTally } from './answer-tallies.ts';
import { AnswersIndexReader } from './answers-index-reader.ts';
import type { Entry } from './answers-index.ts';
import type { AttemptAnswers, ChunkAnswers } from './chunk-answers.ts';
import { IdTable } from './id-table.ts';
import { releaseMemory } from './release-memory.ts';
import { sameBytes } from './same-bytes.ts';

/** Outcomes of a record, which begins without one at 0; a larger one wins. */
export const AGAIN = 1;
export const FINAL = 2;
export const SUCCESS = 3;
/** Not sent at all: its answer is in rejected.jsonl. */
export const REJECTED = 4;

const NOT_YET = 0xffff;

/** A failed batch's complaint about a line says nothing of the line where the queue was full. */
const QUEUE_CODE = 'token_limit_exceeded';

/** Executed, and most likely paid: only its owner may decide to pay for it again. */
const UNREADABLE: ValidationError = {
  code: 'answer_unreadable',
  message:
    'The provider answered with a line that cannot be read. It was executed, so it is not sent ' +
    'again by itself; the bytes are kept in quarantine.',
  line: null,
};

/** The last attempt that failed validation. */
export interface InvalidAttempt {
  readonly attempt: number;
  readonly sent: number;
  /** Different lines that were named and found. */
  readonly lines: number;
}

export class ChunkOutcomes {
  readonly index: LineIndex;
  readonly files = new AnswerFiles();
  readonly places = new AnswerPlaces();
  /** Names of classes, by number. */
  readonly classes: string[] = [];
  /** Why records are final without a line of the provider's that could stand, by record. */
  readonly refusals = new Map<number, ValidationError>();
  invalid: InvalidAttempt | null = null;
  requests = 0;
  strangers = 0;
  unparsable = 0;
  /** Answers beyond the one that stays, and those of them whose bytes differ from it. */
  duplicates = 0;
  conflicts = 0;

  /** What the index is a view of. */
  readonly #read: readonly Buffer[];
  readonly #table: IdTable;
  readonly #outcomes: Uint8Array;
  /** The answer that tells the outcome, or -1. */
  readonly #answers: Int32Array;
  readonly #classNumbers: Int32Array;
  readonly #quotas: Uint8Array;
  /** The step of the last answer, and the one that made the outcome final; steps count attempts. */
  readonly #answeredAt: Uint16Array;
  readonly #resolvedAt: Uint16Array;
  /** Records that were pending before each step. */
  readonly #pendingBefore: number[] = [];
  readonly #usage = new UsageTally();
  readonly #classNumberOf = new Map<string, number>();
  #pending: number;

  /** Reads the index files and folds. The files stay open until `close`. */
  constructor(input: ChunkAnswers) {
    const [records, ids] = [readFileSync(input.linesPath), readFileSync(input.idsPath)];
    this.index = new LineIndex(records, ids);
    this.#read = [records, ids];
    const { count } = this.index;
    this.#table = new IdTable(this.index, ids.length);
    this.#outcomes = new Uint8Array(count);
    this.#answers = new Int32Array(count).fill(-1);
    this.#classNumbers = new Int32Array(count).fill(-1);
    this.#quotas = new Uint8Array(count);
    this.#answeredAt = new Uint16Array(count).fill(NOT_YET);
    this.#resolvedAt = new Uint16Array(count).fill(NOT_YET);
    for (let record = 0; record < count; record += 1) {
      if (this.index.isRejected(record)) this.#outcomes[record] = REJECTED;
      else this.requests += 1;
    }
    this.#pending = this.requests;
    try {
      for (const [step, attempt] of input.attempts.entries()) this.#fold(attempt, step);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  outcome(record: number): number {
    return this.#outcomes[record] as number;
  }

  /** The number of the answer that stays; -1 where none does. */
  answer(record: number): number {
    return this.#answers[record] as number;
  }

  /** Whether a line of a file is the record's answer, for good. */
  hasLine(record: number): boolean {
    const outcome = this.outcome(record);
    return outcome === REJECTED || (outcome >= FINAL && this.answer(record) >= 0);
  }

  /** The class of the record's last answer; null where it had none. */
  className(record: number): string | null {
    return this.classes[this.#classNumbers[record] as number] ?? null;
  }

  isQuota(record: number): boolean {
    return this.#outcomes[record] === AGAIN && this.#quotas[record] === 1;
  }

  /** Tokens of the successes that stay. */
  usage(): UsageByModel {
    return this.#usage.sums();
  }

  /** Closes the files and gives the memory back; nothing may be asked afterwards. */
  close(): void {
    this.files.close();
    this.places.release();
    this.#table.release();
    const columns = [this.#outcomes, this.#answers, this.#classNumbers, this.#quotas];
    const steps = [this.#answeredAt, this.#resolvedAt];
    for (const view of [...this.#read, ...columns, ...steps]) releaseMemory(view);
  }

  #fold(attempt: AttemptAnswers, step: number): void {
    this.#pendingBefore.push(this.#pending);
    if (attempt.kind === 'answers') this.#foldAnswers(attempt, step);
    else this.#foldErrors(attempt, step);
  }

  #foldAnswers(attempt: Extract<AttemptAnswers, { kind: 'answers' }>, step: number): void {
    const output = attempt.outputPath === null ? -1 : this.files.add(attempt.outputPath);
    const errors = attempt.errorPath === null ? -1 : this.files.add(attempt.errorPath);
    const reader = new AnswersIndexReader(attempt.indexPath);
    try {
      while (reader.next()) this.#foldEntry(reader, reader.entry.isError ? errors : output, step);
    } finally {
      reader.close();
    }
  }

  #foldEntry(reader: AnswersIndexReader, file: number, step: number): void {
    const { kind, isError, offset, length } = reader.entry;
    const { bytes, textStart, textEnd } = reader;
    const record = this.#table.find(bytes, textStart, textEnd);
    if (kind === 'unparsable') {
      this.places.add(file, offset, length, -1);
      this.unparsable += 1;
      // A line of the error file was a failure, which nobody paid for: its request goes again.
      if (record >= 0 && !isError) this.#refuse(record, UNREADABLE, step);
      return;
    }
    const answer = this.places.add(file, offset, length, record);
    if (record < 0) this.strangers += 1;
    else this.#take(record, answer, reader, step);
  }

  #take(record: number, answer: number, reader: AnswersIndexReader, step: number): void {
    const { entry, names } = reader;
    const before = this.#outcomes[record] as number;
    const outcome = outcomeOf(entry);
    if (before >= FINAL || this.#answeredAt[record] === step) this.#duplicate(record, answer);
    this.#answeredAt[record] = step;
    if (outcome < before || (outcome === before && outcome >= FINAL)) return;
    this.#set(record, outcome, step);
    this.#answers[record] = answer;
    this.#classNumbers[record] = this.#classNumber(names[entry.classNumber] ?? 'error');
    this.#quotas[record] = entry.kind === 'quota' ? 1 : 0;
    this.refusals.delete(record);
    const model = names[entry.modelNumber];
    if (outcome === SUCCESS && model !== undefined) this.#usage.add(model, entry);
  }

  #duplicate(record: number, answer: number): void {
    this.duplicates += 1;
    const kept = this.#answers[record] as number;
    if (kept >= 0 && !sameBytes(this.files, this.places, kept, answer)) this.conflicts += 1;
  }

  #foldErrors(attempt: Extract<AttemptAnswers, { kind: 'invalid' }>, step: number): void {
    const sent = this.#sentBy(attempt.sent ?? this.#pending);
    const refused = new Set<number>();
    for (const error of attempt.errors) {
      if (error.line === null || error.code === QUEUE_CODE) continue;
      const record = sent[error.line - 1];
      if (record === undefined || refused.has(record)) continue;
      refused.add(record);
      this.#refuse(record, error, step);
    }
    const { attempt: number } = attempt;
    this.invalid = { attempt: number, sent: sent.length, lines: refused.size };
  }

  /** Ends a record that has no final answer yet with an error line of our own. */
  #refuse(record: number, error: ValidationError, step: number): void {
    if ((this.#outcomes[record] as number) >= FINAL) return;
    this.#set(record, FINAL, step);
    this.#answers[record] = -1;
    this.refusals.set(record, error);
    this.#classNumbers[record] = this.#classNumber(error.code);
  }

  /**
   * The records that an upload of `sent` lines held: those pending at some step before. What is
   * pending only shrinks, so the count alone says which step. None fits: no line can be placed.
   */
  #sentBy(sent: number): Int32Array {
    const step = this.#pendingBefore.lastIndexOf(sent);
    const records = new Int32Array(step < 0 ? 0 : sent);
    let filled = 0;
    for (let record = 0; record < this.index.count && filled < records.length; record += 1) {
      const isSent = this.#outcomes[record] !== REJECTED;
      if (isSent && (this.#resolvedAt[record] as number) >= step) records[filled++] = record;
    }
    return records;
  }

  #set(record: number, outcome: number, step: number): void {
    const wasPending = (this.#outcomes[record] as number) < FINAL;
    this.#outcomes[record] = outcome;
    if (!wasPending || outcome < FINAL) return;
    this.#resolvedAt[record] = step;
    this.#pending -= 1;
  }

  #classNumber(name: string): number {
    const known = this.#classNumberOf.get(name);
    if (known !== undefined) return known;
    const number = this.classes.push(name) - 1;
    this.#classNumberOf.set(name, number);
    return number;
  }
}

function outcomeOf(entry: Entry): number {
  if (entry.kind === 'success') return SUCCESS;
  return entry.kind === 'final' ? FINAL : AGAIN;
}
