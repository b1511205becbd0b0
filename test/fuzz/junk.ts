/** Texts, values and bytes that careless code trips over, and what can be done to good ones. */

import type { Random } from '../simulation/random.ts';

const TEXTS = [
  '',
  ' ',
  '0',
  '-1',
  '1e309',
  '9007199254740993',
  'null',
  'true',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  '../../../etc/passwd',
  '..%2f..%2fetc%2fpasswd',
  '%00',
  '%',
  '%zz',
  '%e0%a4%a',
  '%c0%ae%c0%ae',
  'é\u2028🙂\ud800',
  '\u0000\u001f',
  '${7*7}',
  '<script>alert(1)</script>',
  "' or 1=1 --",
  'a'.repeat(300),
  '[]',
  '{}',
  '*',
  '?',
  'file:///etc/passwd',
  'http://169.254.169.254/latest',
];

const VALUES: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  1e308,
  2 ** 53,
  '',
  'x',
  [],
  {},
  [[]],
  [null],
  { a: { b: {} } },
];

export function junkText(random: Random): string {
  if (random.chance(0.7)) return random.pick(TEXTS);
  return Array.from({ length: random.int(0, 40) }, () =>
    String.fromCharCode(random.int(0, random.chance(0.8) ? 0x7e : 0xffff)),
  ).join('');
}

export function junkBytes(random: Random, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => random.int(0, 255)));
}

/** JSON text whose value differs from this one in a few places, or which is no JSON any more. */
export function mutatedJson(random: Random, value: unknown): string {
  const text = JSON.stringify(random.chance(0.8) ? mutatedValue(random, value) : value) ?? '';
  switch (random.int(0, 9)) {
    case 0:
      return text.slice(0, random.int(0, text.length));
    case 1:
      return text.replace('{', '{"__proto__":{"admin":true},"constructor":1,');
    case 2:
      return text.replace(/"(\w+)":/, '"$1":1,"$1":');
    case 3:
      return random.pick(['[', '{"a":']).repeat(random.int(1, 5_000));
    case 4:
      return `${'['.repeat(80)}${text}${']'.repeat(80)}`;
    case 5:
      return `\ufeff${text}`;
    default:
      return text;
  }
}

function mutatedValue(random: Random, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || random.chance(0.1)) {
    return random.chance(0.5) ? random.pick(VALUES) : junkText(random);
  }
  if (Array.isArray(value)) return value.map((item) => mutatedValue(random, item));
  const entries = Object.entries(value).flatMap(([key, inner]): [string, unknown][] => {
    if (random.chance(0.15)) return [];
    return [[key, random.chance(0.3) ? mutatedValue(random, inner) : inner]];
  });
  if (random.chance(0.3)) entries.push([junkText(random), random.pick(VALUES)]);
  return Object.fromEntries(entries);
}

/** The bytes with some of them changed, left out, doubled or cut off. */
export function mutatedBytes(random: Random, bytes: Buffer): Buffer {
  const at = random.int(0, bytes.length);
  const end = random.int(at, Math.min(bytes.length, at + 40));
  switch (random.int(0, 4)) {
    case 0:
      return bytes.subarray(0, at);
    case 1:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(end)]);
    case 2:
      return Buffer.concat([bytes.subarray(0, end), bytes.subarray(at)]);
    case 3: {
      const junk = junkBytes(random, random.int(1, 20));
      return Buffer.concat([bytes.subarray(0, at), junk, bytes.subarray(at)]);
    }
    default: {
      const changed = Buffer.from(bytes);
      changed.fill(random.int(0, 255), at, end);
      return changed;
    }
  }
}
