/**
 * Reads one answer line as bytes: whether it is JSON at all, and the few fields that its fate
 * and its price depend on. One scanner is used for many lines; its fields tell of the last one.
 */

import { classifyAnswer, classifyOwnFailure } from '../../domain/answer.ts';
import type { AnswerClass } from '../../domain/answer.ts';
import {
  CLOSE_BRACE,
  COLON,
  COMMA,
  JsonWalker,
  OPEN_BRACE,
  QUOTE,
} from '../../jsonl/json-walker.ts';
import { OWN_ID_PREFIX } from '../own-error-line.ts';
import { ErrorFields, UsageFields } from './answer-fields.ts';
import { keyAt } from './answer-keys.ts';
import type { Key } from './answer-keys.ts';

const LETTER_N = 0x6e;

const OWN_ID = Buffer.from(OWN_ID_PREFIX);

/** Where a member stands; the same name means different things in different places. */
type Place = 'line' | 'response' | 'body' | 'usage' | 'details' | 'error' | 'bodyError';

export class AnswerScanner extends JsonWalker {
  /**
   * The custom_id's bytes between its quotes; idStart is -1 where the line has no string id. Set
   * also where a line breaks only behind its id.
   */
  idStart = -1;
  idEnd = -1;
  /** Whether the line says `"custom_id": null`. */
  idIsNull = false;
  /** -1 where there is none. */
  statusCode = -1;
  hasBody = false;
  /** The model's bytes between its quotes; -1 where none is named. */
  modelStart = -1;
  modelEnd = -1;
  readonly usage = new UsageFields();
  readonly error = new ErrorFields();
  readonly bodyError = new ErrorFields();
  /** Whether Batchwright wrote the line: only its own error lines have such an id and a `line`. */
  get isOwn(): boolean {
    return this.#hasOwnId && this.#hasErrorLine;
  }

  #hasOwnId = false;
  #hasErrorLine = false;
  /** Top-level keys seen in this line, a bit each. */
  #seen = 0;

  /**
   * Reads the line [start, end); `bytes[end]` must be a newline. False where the line is not one
   * JSON object, or where a key that matters stands twice in it.
   */
  scan(bytes: Buffer, start: number, end: number): boolean {
    this.attach(bytes);
    this.#reset();
    const at = this.skipSpace(start);
    if (bytes[at] !== OPEN_BRACE) return false;
    const behind = this.#object('line', at);
    return behind >= 0 && this.skipSpace(behind) === end;
  }

  /** What follows from the line. Allocates: a success is told apart by `isSuccess` first. */
  classify(): AnswerClass {
    const errorCode = this.error.code(this.bytes);
    if (this.isOwn) return classifyOwnFailure(errorCode ?? '');
    return classifyAnswer({
      statusCode: this.statusCode < 0 ? null : this.statusCode,
      errorCode,
      bodyErrorCode: this.bodyError.code(this.bytes),
      hasBody: this.hasBody,
    });
  }

  /** Whether this is the plainest success; others need `classify`. */
  isSuccess(): boolean {
    const clean = !this.error.present && !this.bodyError.present;
    return clean && this.statusCode === 200 && this.hasBody;
  }

  /** The provider's or our own words; '' where there are none. */
  message(): string {
    return (this.error.present ? this.error : this.bodyError).message(this.bytes);
  }

  #reset(): void {
    this.#seen = 0;
    this.idStart = -1;
    this.idEnd = -1;
    this.idIsNull = false;
    this.#hasOwnId = false;
    this.#hasErrorLine = false;
    this.statusCode = -1;
    this.error.reset();
    this.#resetBody();
  }

  #resetBody(): void {
    this.hasBody = false;
    this.modelStart = -1;
    this.modelEnd = -1;
    this.usage.reset();
    this.bodyError.reset();
  }

  /** Behind the object that opens at `at`, or -1. */
  #object(place: Place, at: number): number {
    const bytes = this.bytes;
    let i = this.skipSpace(at + 1);
    if (bytes[i] === CLOSE_BRACE) return i + 1;
    for (;;) {
      if (bytes[i] !== QUOTE) return -1;
      const behindName = this.skipString(i + 1);
      if (behindName < 0) return -1;
      const key = keyAt(bytes, i + 1, behindName - 1);
      i = this.skipSpace(behindName);
      if (bytes[i] !== COLON) return -1;
      i = this.skipSpace(i + 1);
      i = key === null ? this.skipValue(i, 0) : this.#member(place, key, i);
      if (i < 0) return -1;
      i = this.skipSpace(i);
      if (bytes[i] !== COMMA) return bytes[i] === CLOSE_BRACE ? i + 1 : -1;
      i = this.skipSpace(i + 1);
    }
  }

  #member(place: Place, key: Key, at: number): number {
    switch (place) {
      case 'line':
        return this.#lineMember(key, at);
      case 'response':
        return this.#responseMember(key, at);
      case 'body':
        return this.#bodyMember(key, at);
      case 'usage':
      case 'details':
        return this.#usageMember(place, key, at);
      case 'error':
      case 'bodyError':
        return this.#errorMember(place, key, at);
    }
  }

  #lineMember(key: Key, at: number): number {
    if (key.bit !== 0) {
      if ((this.#seen & key.bit) !== 0) {
        // Two ids in one line: nobody can say whose it is.
        if (key.name === 'custom_id') this.idStart = -1;
        return -1;
      }
      this.#seen |= key.bit;
    }
    const first = this.bytes[at];
    if (key.name === 'response' && first === OPEN_BRACE) return this.#object('response', at);
    if (key.name === 'error') return this.#errorValue('error', at);
    const behind = this.skipValue(at, 0);
    if (key.name === 'id') this.#hasOwnId = first === QUOTE && this.#startsOwn(at + 1);
    if (key.name === 'custom_id') {
      this.idIsNull = first === LETTER_N;
      if (first === QUOTE && behind >= 0) this.idStart = at + 1;
      if (first === QUOTE && behind >= 0) this.idEnd = behind - 1;
    }
    return behind;
  }

  #startsOwn(at: number): boolean {
    for (let i = 0; i < OWN_ID.length; i += 1) {
      if (this.bytes[at + i] !== OWN_ID[i]) return false;
    }
    return true;
  }

  #responseMember(key: Key, at: number): number {
    const first = this.bytes[at];
    if (key.name === 'body') {
      this.#resetBody();
      this.hasBody = first !== LETTER_N;
      if (first === OPEN_BRACE) return this.#object('body', at);
    }
    const behind = this.skipValue(at, 0);
    if (key.name === 'status_code') {
      const status = wholeNumber(this.bytes, at, behind);
      this.statusCode = status < 1000 ? status : -1;
    }
    return behind;
  }

  #bodyMember(key: Key, at: number): number {
    const first = this.bytes[at];
    if (key.name === 'error') return this.#errorValue('bodyError', at);
    if (key.name === 'usage' && first === OPEN_BRACE) return this.#object('usage', at);
    const behind = this.skipValue(at, 0);
    if (key.name === 'model' && first === QUOTE) {
      this.modelStart = at + 1;
      this.modelEnd = behind - 1;
    }
    return behind;
  }

  #usageMember(place: 'usage' | 'details', key: Key, at: number): number {
    if (place === 'usage' && this.bytes[at] === OPEN_BRACE) {
      return this.#object('details', at);
    }
    const behind = this.skipValue(at, 0);
    const count = behind < 0 ? -1 : wholeNumber(this.bytes, at, behind);
    if (count >= 0) this.usage.set(key, count);
    return behind;
  }

  /** An error of any shape but null is an error. */
  #errorValue(place: 'error' | 'bodyError', at: number): number {
    const fields = this[place];
    const first = this.bytes[at];
    fields.reset();
    fields.present = first !== LETTER_N;
    return first === OPEN_BRACE ? this.#object(place, at) : this.skipValue(at, 0);
  }

  #errorMember(place: 'error' | 'bodyError', key: Key, at: number): number {
    const behind = this.skipValue(at, 0);
    if (behind >= 0) this[place].set(key, at, behind);
    if (place === 'error' && key.name === 'line') this.#hasErrorLine = true;
    return behind;
  }
}

/** The value of plain digits, at most 2^32 - 1; -1 for any other token. */
function wholeNumber(bytes: Buffer, start: number, end: number): number {
  let value = 0;
  for (let i = start; i < end; i += 1) {
    const digit = (bytes[i] as number) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return Math.min(value, 0xffff_ffff);
}
