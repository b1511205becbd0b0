/** Where a member's value stands in the bytes of a JSON object that is known to be well-formed. */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

/** The bytes of the last top-level member of the name; null where there is none. */
export function memberBytes(object: Buffer, name: string): Buffer | null {
  let found: Buffer | null = null;
  let at = afterSpace(object, object.indexOf(OPEN_BRACE) + 1);
  while (object[at] === QUOTE) {
    const keyEnd = stringEnd(object, at);
    const isWanted = object.toString('utf8', at + 1, keyEnd - 1) === name;
    const start = afterSpace(object, afterSpace(object, keyEnd) + 1);
    const end = valueEnd(object, start);
    if (isWanted) found = object.subarray(start, end);
    at = afterSpace(object, end);
    if (object[at] === COMMA) at = afterSpace(object, at + 1);
  }
  return found;
}

function afterSpace(bytes: Buffer, from: number): number {
  let at = from;
  while (at < bytes.length && (bytes[at] as number) <= 0x20) at++;
  return at;
}

/** The place after the closing quote. */
function stringEnd(bytes: Buffer, open: number): number {
  for (let quote = bytes.indexOf(QUOTE, open + 1); quote >= 0;) {
    let slashes = 0;
    while (bytes[quote - 1 - slashes] === BACKSLASH) slashes++;
    if (slashes % 2 === 0) return quote + 1;
    quote = bytes.indexOf(QUOTE, quote + 1);
  }
  return bytes.length;
}

function valueEnd(bytes: Buffer, start: number): number {
  const first = bytes[start];
  if (first === QUOTE) return stringEnd(bytes, start);
  if (first !== OPEN_BRACE && first !== OPEN_BRACKET) return scalarEnd(bytes, start);
  let depth = 0;
  for (let at = start; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) at = stringEnd(bytes, at) - 1;
    else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth++;
    else if ((byte === CLOSE_BRACE || byte === CLOSE_BRACKET) && --depth === 0) return at + 1;
  }
  return bytes.length;
}

function scalarEnd(bytes: Buffer, start: number): number {
  let at = start;
  while (at < bytes.length) {
    const byte = bytes[at] as number;
    if (byte === COMMA || byte === CLOSE_BRACE || byte <= 0x20) break;
    at++;
  }
  return at;
}
