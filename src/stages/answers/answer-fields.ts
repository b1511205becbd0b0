/** What a scanner notes of one answer line, besides its id and status. */

import type { Key } from './answer-keys.ts';

/** Tokens of one answer; 0 where it does not state them. */
export class UsageFields {
  input = 0;
  output = 0;
  total = 0;
  cached = 0;
  reasoning = 0;

  reset(): void {
    this.input = 0;
    this.output = 0;
    this.total = 0;
    this.cached = 0;
    this.reasoning = 0;
  }

  set(key: Key, count: number): void {
    if (key.counts !== null) this[key.counts] = count;
  }
}

/** Where the texts of an error stand: JSON tokens, quotes included. */
export class ErrorFields {
  present = false;
  #codeStart = -1;
  #codeEnd = -1;
  #typeStart = -1;
  #typeEnd = -1;
  #messageStart = -1;
  #messageEnd = -1;

  reset(): void {
    this.present = false;
    this.#codeStart = -1;
    this.#typeStart = -1;
    this.#messageStart = -1;
  }

  set(key: Key, start: number, end: number): void {
    if (key.name === 'code') [this.#codeStart, this.#codeEnd] = [start, end];
    if (key.name === 'type') [this.#typeStart, this.#typeEnd] = [start, end];
    if (key.name === 'message') [this.#messageStart, this.#messageEnd] = [start, end];
  }

  /** The code, else the type; '' where an error says neither; null where there is no error. */
  code(bytes: Buffer): string | null {
    if (!this.present) return null;
    const code = textAt(bytes, this.#codeStart, this.#codeEnd);
    return code === '' ? textAt(bytes, this.#typeStart, this.#typeEnd) : code;
  }

  message(bytes: Buffer): string {
    return textAt(bytes, this.#messageStart, this.#messageEnd);
  }
}

/** A string's text, a number as it stands, '' for anything else. */
function textAt(bytes: Buffer, start: number, end: number): string {
  if (start < 0) return '';
  const token: unknown = JSON.parse(bytes.toString('utf8', start, end));
  return typeof token === 'string' || typeof token === 'number' ? String(token) : '';
}
