/**
 * A strict walk over JSON text (RFC 8259) in bytes: it accepts exactly what JSON.parse accepts,
 * but for nesting deeper than MAX_DEPTH, and builds nothing.
 *
 * The text must be valid UTF-8 and end with a newline, which no JSON text of one line can hold:
 * the newline is the sentinel that spares every loop a check of bounds. Positions are indices into
 * the attached buffer; every walking method returns the position after what it walked, or -1 with
 * `failure` and `failedAt` set.
 */

/** Deepest nesting of objects and lists that is read. */
export const MAX_DEPTH = 64;

export const QUOTE = 0x22;
export const COMMA = 0x2c;
export const COLON = 0x3a;
export const OPEN_BRACKET = 0x5b;
export const CLOSE_BRACKET = 0x5d;
export const OPEN_BRACE = 0x7b;
export const CLOSE_BRACE = 0x7d;
export const NEWLINE = 0x0a;
const BACKSLASH = 0x5c;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;

/** 1 for the bytes that stand for themselves inside a string. */
const PLAIN = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x20 && byte !== QUOTE && byte !== BACKSLASH ? 1 : 0,
);

/** 1 for the bytes that may follow a backslash, 2 for `u`. */
const ESCAPES = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte === 0x75 ? 2 : Number('"\\/bfnrt'.includes(String.fromCharCode(byte))),
);

const HEX = Uint8Array.from({ length: 256 }, (_, byte) =>
  Number(/[0-9a-fA-F]/.test(String.fromCharCode(byte))),
);

const TRUE = Buffer.from('true');
const FALSE = Buffer.from('false');
const NULL = Buffer.from('null');

export class JsonWalker {
  failure: 'invalid_json' | 'nested_too_deep' = 'invalid_json';
  failedAt = 0;
  /** Whether the string that was walked last holds a backslash. */
  escaped = false;
  protected bytes: Buffer = Buffer.alloc(0);
  #words: Int32Array = new Int32Array(0);

  /** Walks this buffer from now on; it must start at a multiple of 4 of its memory. */
  attach(bytes: Buffer): void {
    if (bytes === this.bytes) return;
    this.bytes = bytes;
    this.#words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
  }

  /** The first position at or after `at` that holds no space, tab or carriage return. */
  skipSpace(at: number): number {
    const bytes = this.bytes;
    let i = at;
    while (bytes[i] === 0x20 || bytes[i] === 0x09 || bytes[i] === 0x0d) i += 1;
    return i;
  }

  /** Walks any value; `depth` objects and lists are open around it. */
  skipValue(at: number, depth: number): number {
    const byte = this.bytes[at];
    if (byte === QUOTE) return this.skipString(at + 1);
    if (byte === OPEN_BRACE) return this.#skipObject(at, depth);
    if (byte === OPEN_BRACKET) return this.#skipList(at, depth);
    if (byte === 0x74) return this.#skipWord(at, TRUE);
    if (byte === 0x66) return this.#skipWord(at, FALSE);
    if (byte === 0x6e) return this.#skipWord(at, NULL);
    return this.#skipNumber(at);
  }

  /** Walks a string from the byte after its opening quote. */
  skipString(at: number): number {
    const bytes = this.bytes;
    const words = this.#words;
    this.escaped = false;
    let i = at;
    for (;;) {
      const byte = bytes[i] as number;
      if (PLAIN[byte] === 1) {
        i += 1;
        if ((i & 3) === 0) i = skipPlainWords(words, i >> 2) << 2;
      } else if (byte === QUOTE) {
        return i + 1;
      } else if (byte === BACKSLASH) {
        this.escaped = true;
        i = this.#skipEscape(i);
        if (i < 0) return -1;
      } else {
        return this.fail(i);
      }
    }
  }

  /** Notes where the text stops being JSON; returns -1. */
  protected fail(at: number): number {
    this.failure = 'invalid_json';
    this.failedAt = at;
    return -1;
  }

  /** Notes that an object or list at `at` lies too deep; returns -1. */
  protected failDeep(at: number): number {
    this.failure = 'nested_too_deep';
    this.failedAt = at;
    return -1;
  }

  #skipObject(open: number, depth: number): number {
    if (depth >= MAX_DEPTH) return this.failDeep(open);
    const bytes = this.bytes;
    let i = this.skipSpace(open + 1);
    if (bytes[i] === CLOSE_BRACE) return i + 1;
    for (;;) {
      if (bytes[i] !== QUOTE) return this.fail(i);
      i = this.skipString(i + 1);
      if (i < 0) return -1;
      i = this.skipSpace(i);
      if (bytes[i] !== COLON) return this.fail(i);
      i = this.skipValue(this.skipSpace(i + 1), depth + 1);
      if (i < 0) return -1;
      i = this.skipSpace(i);
      if (bytes[i] === CLOSE_BRACE) return i + 1;
      if (bytes[i] !== COMMA) return this.fail(i);
      i = this.skipSpace(i + 1);
    }
  }

  #skipList(open: number, depth: number): number {
    if (depth >= MAX_DEPTH) return this.failDeep(open);
    const bytes = this.bytes;
    let i = this.skipSpace(open + 1);
    if (bytes[i] === CLOSE_BRACKET) return i + 1;
    for (;;) {
      i = this.skipValue(i, depth + 1);
      if (i < 0) return -1;
      i = this.skipSpace(i);
      if (bytes[i] === CLOSE_BRACKET) return i + 1;
      if (bytes[i] !== COMMA) return this.fail(i);
      i = this.skipSpace(i + 1);
    }
  }

  #skipEscape(backslash: number): number {
    const bytes = this.bytes;
    const kind = ESCAPES[bytes[backslash + 1] as number];
    if (kind === 1) return backslash + 2;
    if (kind !== 2) return this.fail(backslash + 1);
    for (let i = backslash + 2; i < backslash + 6; i += 1) {
      if (HEX[bytes[i] as number] !== 1) return this.fail(i);
    }
    return backslash + 6;
  }

  #skipWord(at: number, word: Buffer): number {
    for (let i = 0; i < word.length; i += 1) {
      if (this.bytes[at + i] !== word[i]) return this.fail(at + i);
    }
    return at + word.length;
  }

  #skipNumber(at: number): number {
    const bytes = this.bytes;
    let i = bytes[at] === MINUS ? at + 1 : at;
    if (bytes[i] === ZERO) i += 1;
    else if ((i = this.#skipDigits(i)) < 0) return -1;
    if (bytes[i] === 0x2e && (i = this.#skipDigits(i + 1)) < 0) return -1;
    if (bytes[i] === 0x65 || bytes[i] === 0x45) {
      i += 1;
      if (bytes[i] === 0x2b || bytes[i] === MINUS) i += 1;
      return this.#skipDigits(i);
    }
    return i;
  }

  #skipDigits(at: number): number {
    const bytes = this.bytes;
    let i = at;
    while ((bytes[i] as number) >= ZERO && (bytes[i] as number) <= NINE) i += 1;
    return i === at ? this.fail(i) : i;
  }
}

/**
 * The first word at or after `word` with a quote, a backslash or a byte below 0x20 in it: four
 * bytes a step. A byte is found where subtracting borrows out of it: `(x - 1) & ~x` has the high
 * bit of each zero byte set. Borrows can also mark a byte above a true hit, which does no harm.
 */
function skipPlainWords(words: Int32Array, word: number): number {
  let at = word;
  while (at < words.length) {
    const x = words[at] as number;
    const quotes = x ^ 0x22222222;
    const slashes = x ^ 0x5c5c5c5c;
    const hits =
      ((quotes - 0x01010101) & ~quotes) |
      ((slashes - 0x01010101) & ~slashes) |
      ((x - 0x20202020) & ~x);
    if ((hits & 0x80808080) !== 0) return at;
    at += 1;
  }
  return at;
}
