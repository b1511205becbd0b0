/**
 * Finds, in one strict walk over a request line, where its fields stand: custom_id, method, url and
 * body at the top, model, stream and input in the body. Keys are compared after decoding.
 */

import {
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  JsonWalker,
  MAX_DEPTH,
  NEWLINE,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
} from './json-walker.ts';

export const CUSTOM_ID = 0;
export const METHOD = 1;
export const URL_FIELD = 2;
export const BODY = 3;
export const MODEL = 4;
export const STREAM = 5;
export const INPUT = 6;
/** Looked for in strict scans only. */
export const MESSAGES = 7;
export const PROMPT = 8;
const FIELDS = 9;

const TOP_NAMES = ['custom_id', 'method', 'url', 'body'].map((name) => Buffer.from(name));
const BODY_NAMES = ['model', 'stream', 'input'].map((name) => Buffer.from(name));
const STRICT_NAMES = [...BODY_NAMES, Buffer.from('messages'), Buffer.from('prompt')];

const DIGIT_OR_MINUS = /^[-0-9]$/;

/** One object for a whole run: every scan overwrites the findings of the one before. */
export class RequestScanner extends JsonWalker {
  /** Whether the line's value is an object; the fields below mean something only then. */
  isObject = false;
  /** Position of the line's opening brace. */
  open = 0;
  /** First byte of each field's value, 0 where the field is absent. */
  readonly first = new Uint8Array(FIELDS);
  /** Position of each field's value, quotes included. */
  readonly starts = new Int32Array(FIELDS);
  readonly ends = new Int32Array(FIELDS);
  /** 1 where the field's value is a string with a backslash in it. */
  readonly escapes = new Uint8Array(FIELDS);
  /** Embedding inputs: 1 for a string or one list of tokens, else the length of the list. */
  inputs = 0;
  /** The first key that stands twice, decoded; null where none does. */
  repeatedKey: string | null = null;
  /** Whether custom_id stands twice: then it names nobody. */
  repeatedId = false;
  readonly #others = new Set<string>();
  readonly #bodyNames: readonly Buffer[];

  /** A strict one also tells whether a body has messages and a prompt. */
  constructor(isStrict = false) {
    super();
    this.#bodyNames = isStrict ? STRICT_NAMES : BODY_NAMES;
  }

  /** Walks the line that starts at `at`; returns the position of its newline, or -1. */
  scan(at: number): number {
    this.first.fill(0);
    this.repeatedKey = null;
    this.repeatedId = false;
    this.inputs = 0;
    if (this.#others.size > 0) this.#others.clear();
    const start = this.skipSpace(at);
    this.open = start;
    this.isObject = this.bytes[start] === OPEN_BRACE;
    const end = this.isObject ? this.#members(start, 1, TOP_NAMES, 0) : this.skipValue(start, 0);
    if (end < 0) return -1;
    const newline = this.skipSpace(end);
    return this.bytes[newline] === NEWLINE ? newline : this.fail(newline);
  }

  /** The field's decoded text; the field must be a string. */
  text(field: number): string {
    const token = this.bytes.toString('utf8', this.starts[field], this.ends[field]);
    return this.escapes[field] === 0 ? token.slice(1, -1) : (JSON.parse(token) as string);
  }

  /** A copy of the field's value as it stands. */
  token(field: number): Buffer {
    return Buffer.from(this.bytes.subarray(this.starts[field], this.ends[field]));
  }

  isByte(at: number, byte: number): boolean {
    return this.bytes[at] === byte;
  }

  /** Whether the field's value is byte for byte this token. */
  isToken(field: number, token: Buffer): boolean {
    const start = this.starts[field] as number;
    if ((this.ends[field] as number) - start !== token.length) return false;
    return this.#matches(start, token);
  }

  /** Whether the field is the word `true`. */
  isTrue(field: number): boolean {
    return this.first[field] === 0x74;
  }

  #members(open: number, depth: number, names: readonly Buffer[], base: number): number {
    const bytes = this.bytes;
    let i = this.skipSpace(open + 1);
    if (bytes[i] === CLOSE_BRACE) return i + 1;
    for (;;) {
      if (bytes[i] !== QUOTE) return this.fail(i);
      const keyStart = i + 1;
      i = this.skipString(keyStart);
      if (i < 0) return -1;
      const field = this.escaped
        ? this.#escapedField(keyStart - 1, i, names, base)
        : this.#field(keyStart, i - 1, names, base);
      if (field < 0 || this.first[field] !== 0) this.#note(keyStart - 1, i, field, base);
      i = this.skipSpace(i);
      if (bytes[i] !== COLON) return this.fail(i);
      i = this.skipSpace(i + 1);
      i = field < 0 ? this.skipValue(i, depth) : this.#fieldValue(field, i, depth);
      if (i < 0) return -1;
      i = this.skipSpace(i);
      if (bytes[i] === CLOSE_BRACE) return i + 1;
      if (bytes[i] !== COMMA) return this.fail(i);
      i = this.skipSpace(i + 1);
    }
  }

  #fieldValue(field: number, at: number, depth: number): number {
    const byte = this.bytes[at] as number;
    let end: number;
    if (field === BODY && byte === OPEN_BRACE) end = this.#members(at, 2, this.#bodyNames, MODEL);
    else if (field === INPUT) end = this.#inputs(at, depth);
    else end = this.skipValue(at, depth);
    this.first[field] = byte;
    this.starts[field] = at;
    this.ends[field] = end;
    this.escapes[field] = byte === QUOTE && this.escaped ? 1 : 0;
    return end;
  }

  #inputs(at: number, depth: number): number {
    this.inputs = 1;
    const bytes = this.bytes;
    if (bytes[at] !== OPEN_BRACKET) return this.skipValue(at, depth);
    if (depth >= MAX_DEPTH) return this.failDeep(at);
    let i = this.skipSpace(at + 1);
    if (bytes[i] === CLOSE_BRACKET) return i + 1;
    const isTokens = DIGIT_OR_MINUS.test(String.fromCharCode(bytes[i] as number));
    for (let count = 1; ; count += 1) {
      i = this.skipValue(i, depth + 1);
      if (i < 0) return -1;
      if (!isTokens) this.inputs = count;
      i = this.skipSpace(i);
      if (bytes[i] === CLOSE_BRACKET) return i + 1;
      if (bytes[i] !== COMMA) return this.fail(i);
      i = this.skipSpace(i + 1);
    }
  }

  #field(start: number, end: number, names: readonly Buffer[], base: number): number {
    for (let n = 0; n < names.length; n += 1) {
      const name = names[n] as Buffer;
      if (name.length === end - start && this.#matches(start, name)) return base + n;
    }
    return -1;
  }

  #escapedField(start: number, end: number, names: readonly Buffer[], base: number): number {
    const key = Buffer.from(JSON.parse(this.bytes.toString('utf8', start, end)) as string);
    const index = names.findIndex((name) => name.equals(key));
    return index < 0 ? -1 : base + index;
  }

  #matches(start: number, expected: Buffer): boolean {
    for (let i = 0; i < expected.length; i += 1) {
      if (this.bytes[start + i] !== expected[i]) return false;
    }
    return true;
  }

  /** Keys of the body that nobody reads may repeat: what they mean is the provider's to say. */
  #note(start: number, end: number, field: number, base: number): void {
    if (base === MODEL && (field < 0 || field > INPUT)) return;
    const key = JSON.parse(this.bytes.toString('utf8', start, end)) as string;
    if (field < 0 && !this.#others.has(key)) {
      this.#others.add(key);
      return;
    }
    this.repeatedKey ??= key;
    if (field === CUSTOM_ID) this.repeatedId = true;
  }
}
