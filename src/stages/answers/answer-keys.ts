/** The names of an answer line's members that matter, recognised as bytes. */

export interface Key {
  readonly name: string;
  /** Set for keys that may stand only once at the top of a line. */
  readonly bit: number;
  /** Which count of the usage it states. */
  readonly counts: 'input' | 'output' | 'total' | 'cached' | 'reasoning' | null;
}

const BACKSLASH = 0x5c;

const NAMES = [
  ['id', 0],
  ['custom_id', 1],
  ['response', 2],
  ['error', 4],
  ['status_code', 0],
  ['body', 0],
  ['model', 0],
  ['usage', 0],
  ['code', 0],
  ['type', 0],
  ['message', 0],
  ['line', 0],
  ['input_tokens_details', 0],
  ['prompt_tokens_details', 0],
  ['output_tokens_details', 0],
  ['completion_tokens_details', 0],
] as const;

const COUNTS = [
  ['input_tokens', 'input'],
  ['prompt_tokens', 'input'],
  ['output_tokens', 'output'],
  ['completion_tokens', 'output'],
  ['total_tokens', 'total'],
  ['cached_tokens', 'cached'],
  ['reasoning_tokens', 'reasoning'],
] as const;

const KEYS: readonly Key[] = [
  ...NAMES.map(([name, bit]) => ({ name, bit, counts: null })),
  ...COUNTS.map(([name, counts]) => ({ name, bit: 0, counts })),
];

/** By length, first and last character: no two of the names agree in all three. */
const BY_SHAPE = new Map(KEYS.map((key) => [shapeOf(Buffer.from(key.name), 0), key]));

const BY_NAME = new Map(KEYS.map((key) => [key.name, key]));

/** The key whose name's bytes, as they stand between the quotes, are [start, end); else null. */
export function keyAt(bytes: Buffer, start: number, end: number): Key | null {
  const key = BY_SHAPE.get(shapeOf(bytes, start, end));
  if (key !== undefined && isName(bytes, start, key.name)) return key;
  return hasEscape(bytes, start, end) ? (BY_NAME.get(decoded(bytes, start, end)) ?? null) : null;
}

/** Whether a backslash stands in [start, end). */
export function hasEscape(bytes: Buffer, start: number, end: number): boolean {
  for (let i = start; i < end; i += 1) if (bytes[i] === BACKSLASH) return true;
  return false;
}

function decoded(bytes: Buffer, start: number, end: number): string {
  return JSON.parse(`"${bytes.toString('utf8', start, end)}"`) as string;
}

function shapeOf(bytes: Buffer, start: number, end = bytes.length): number {
  const length = end - start;
  return length * 65536 + (bytes[start] as number) * 256 + (bytes[end - 1] as number);
}

function isName(bytes: Buffer, start: number, name: string): boolean {
  for (let i = 0; i < name.length; i += 1) {
    if (bytes[start + i] !== name.charCodeAt(i)) return false;
  }
  return true;
}
