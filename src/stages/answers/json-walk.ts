/**
 * Walks JSON values as bytes, strictly (RFC 8259): each function takes the place where a piece
 * begins and returns the place behind it, or -1 where the bytes are not JSON.
 *
 * `bytes[end]` must exist and be a newline: no JSON string holds one, so that the inner loops
 * need no bound. Whether the bytes are UTF-8 is checked elsewhere, by the block.
 */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

/** 1 for what stands in a string as itself. */
const PLAIN = new Uint8Array(256).fill(1, 0x20);
PLAIN[QUOTE] = 0;
PLAIN[BACKSLASH] = 0;

const HEX = tableOf('0123456789abcdefABCDEF');
const ESCAPED = tableOf('"\\/bfnrt');
const DIGIT = tableOf('0123456789');

/** For each open container: 1 an object, 0 an array. */
let containers = new Uint8Array(256);

/** The place of the first byte that is not white space. */
export function skipSpace(bytes: Uint8Array, at: number, end: number): number {
  let i = at;
  while (i < end) {
    const byte = bytes[i] as number;
    if (byte !== 0x20 && byte !== 0x09 && byte !== 0x0d && byte !== 0x0a) break;
    i += 1;
  }
  return i;
}

/** Behind the string whose opening quote stands before `at`. */
export function skipString(bytes: Uint8Array, at: number, end: number): number {
  let i = at;
  for (;;) {
    while (PLAIN[bytes[i] as number] === 1) i += 1;
    if (i >= end) return -1;
    const byte = bytes[i];
    if (byte === QUOTE) return i + 1;
    if (byte !== BACKSLASH) return -1;
    i = skipEscape(bytes, i + 1);
    if (i < 0) return -1;
  }
}

/** Behind any value; `at` is its first byte. Nesting may be as deep as the line is long. */
export function skipValue(bytes: Uint8Array, at: number, end: number): number {
  let depth = 0;
  let i = at;
  for (;;) {
    const byte = bytes[i];
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      const isObject = byte === OPEN_BRACE;
      i = skipSpace(bytes, i + 1, end);
      if (bytes[i] === (isObject ? CLOSE_BRACE : CLOSE_BRACKET)) {
        i += 1;
      } else {
        if (depth === containers.length) containers = grown(containers);
        containers[depth] = isObject ? 1 : 0;
        depth += 1;
        if (isObject) i = skipName(bytes, i, end);
        if (i < 0) return -1;
        continue;
      }
    } else {
      i = skipScalar(bytes, i, end);
      if (i < 0) return -1;
    }
    while (depth > 0) {
      const isObject = containers[depth - 1] === 1;
      i = skipSpace(bytes, i, end);
      if (bytes[i] === COMMA) {
        i = skipSpace(bytes, i + 1, end);
        if (isObject) i = skipName(bytes, i, end);
        break;
      }
      if (bytes[i] !== (isObject ? CLOSE_BRACE : CLOSE_BRACKET)) return -1;
      i += 1;
      depth -= 1;
    }
    if (depth === 0 || i < 0) return i;
  }
}

/** Behind a member's name, its colon and the space around it; `at` is the opening quote. */
export function skipName(bytes: Uint8Array, at: number, end: number): number {
  if (bytes[at] !== QUOTE) return -1;
  const behind = skipString(bytes, at + 1, end);
  return behind < 0 ? -1 : skipColon(bytes, behind, end);
}

/** Behind the colon that follows a member's name, and the space around it. */
export function skipColon(bytes: Uint8Array, at: number, end: number): number {
  const i = skipSpace(bytes, at, end);
  return bytes[i] === COLON ? skipSpace(bytes, i + 1, end) : -1;
}

function skipEscape(bytes: Uint8Array, at: number): number {
  const byte = bytes[at] as number;
  if (ESCAPED[byte] === 1) return at + 1;
  if (byte !== 0x75) return -1;
  for (let i = at + 1; i <= at + 4; i += 1) if (HEX[bytes[i] as number] !== 1) return -1;
  return at + 5;
}

function skipScalar(bytes: Uint8Array, at: number, end: number): number {
  switch (bytes[at]) {
    case QUOTE:
      return skipString(bytes, at + 1, end);
    case 0x74:
      return skipWord(bytes, at, 'true');
    case 0x66:
      return skipWord(bytes, at, 'false');
    case 0x6e:
      return skipWord(bytes, at, 'null');
    default:
      return skipNumber(bytes, at);
  }
}

function skipWord(bytes: Uint8Array, at: number, word: string): number {
  for (let i = 0; i < word.length; i += 1) {
    if (bytes[at + i] !== word.charCodeAt(i)) return -1;
  }
  return at + word.length;
}

function skipNumber(bytes: Uint8Array, at: number): number {
  let i = bytes[at] === 0x2d ? at + 1 : at;
  i = bytes[i] === 0x30 ? i + 1 : skipDigits(bytes, i);
  if (i > 0 && bytes[i] === 0x2e) i = skipDigits(bytes, i + 1);
  if (i > 0 && (bytes[i] === 0x65 || bytes[i] === 0x45)) {
    i += 1;
    if (bytes[i] === 0x2b || bytes[i] === 0x2d) i += 1;
    i = skipDigits(bytes, i);
  }
  return i;
}

function skipDigits(bytes: Uint8Array, at: number): number {
  let i = at;
  while (DIGIT[bytes[i] as number] === 1) i += 1;
  return i === at ? -1 : i;
}

function grown(stack: Uint8Array): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(stack.length * 2);
  larger.set(stack);
  return larger;
}

function tableOf(characters: string): Uint8Array {
  const table = new Uint8Array(256);
  for (const character of characters) table[character.charCodeAt(0)] = 1;
  return table;
}
