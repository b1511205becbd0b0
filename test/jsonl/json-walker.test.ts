import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JsonWalker, MAX_DEPTH } from '../../src/jsonl/json-walker.ts';

const SEEDS = [
  '{"custom_id":"r-1","method":"POST","url":"/v1/embeddings","body":{"model":"m","input":["a"]}}',
  '{"a":[1,-0.5e+10,0,-0,1E-2,12345678901234567890],"b":{"c":[[],{}]},"d":[true,false,null]}',
  '{"text":"line\\nbreak \\u2028 \\ud83c\\udf89 \\"quoted\\" \\\\ /","é":"漢字 🎉 \u2028"}',
  ' [ "padded" , { "k" : 1.5 } ] \r',
];

describe('the JSON walker', () => {
  it('accepts what JSON.parse accepts, for any value however it is spaced', () => {
    const spaces = fc.constantFrom(undefined, 1, '\t');
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), spaces, (text, indent) => {
        const spaced = JSON.stringify(JSON.parse(text), null, indent).replaceAll('\n', '\r');
        expect(accepts(text)).toBe(true);
        expect(accepts(spaced)).toBe(true);
      }),
    );
  });

  it('agrees with JSON.parse on lines with bytes changed, dropped and doubled', () => {
    const position = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    const patch = fc.constantFrom(
      ...'{}[],:"\\0123456789eE+-.truefalsn u\u0001\u001f\u007f\t\r'.split(''),
    );
    const change = fc.tuple(position, fc.constantFrom('set', 'drop', 'insert'), patch);
    const changes = fc.array(change, { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(fc.constantFrom(...SEEDS), changes, (seed, edits) => {
        const text = edits.reduce(edited, seed);
        expect([text, accepts(text)]).toEqual([text, parses(text)]);
      }),
      { numRuns: 20_000 },
    );
  });

  it('agrees with JSON.parse on strings of every length and place, word by word', () => {
    for (let pad = 0; pad < 9; pad += 1) {
      for (let length = 0; length < 12; length += 1) {
        for (const odd of [
          '',
          '\u0000',
          '\u001f',
          ' ',
          '!',
          '#',
          '[',
          ']',
          '\u007f',
          'é',
          '\\',
          '"',
        ]) {
          const text = `${' '.repeat(pad)}"${'a'.repeat(length)}${odd}${'b'.repeat(5)}"`;
          expect([text, accepts(text)]).toEqual([text, parses(text)]);
        }
      }
    }
  });

  it('agrees with JSON.parse on short texts of the characters of numbers and words', () => {
    const token = fc.constantFrom(
      '-',
      '0',
      '1',
      '9',
      '.',
      'e',
      'E',
      '+',
      'true',
      'fals',
      'null',
      'NaN',
    );
    const text = fc.array(token, { maxLength: 6 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(text, (candidate) => {
        expect([candidate, accepts(candidate)]).toEqual([candidate, parses(candidate)]);
      }),
      { numRuns: 5000 },
    );
  });

  it('says that nesting beyond the limit is too deep and nesting at it is fine', () => {
    const nested = (depth: number) => `${'[{"a":'.repeat(depth / 2)}1${'}]'.repeat(depth / 2)}`;
    expect(accepts(nested(MAX_DEPTH))).toBe(true);
    const walker = new JsonWalker();
    walker.attach(aligned(`${nested(MAX_DEPTH + 2)}\n`));
    expect(walker.skipValue(0, 0)).toBe(-1);
    expect(walker.failure).toBe('nested_too_deep');
  });

  it('says where the text stops being JSON', () => {
    const walker = new JsonWalker();
    walker.attach(aligned('{"a":tru}\n'));
    expect(walker.skipValue(0, 0)).toBe(-1);
    expect([walker.failure, walker.failedAt]).toEqual(['invalid_json', 8]);
  });
});

function accepts(text: string): boolean {
  const walker = new JsonWalker();
  const bytes = aligned(`${text}\n`);
  walker.attach(bytes);
  const end = walker.skipValue(walker.skipSpace(0), 0);
  return end >= 0 && bytes[walker.skipSpace(end)] === 0x0a;
}

function aligned(text: string): Buffer {
  const bytes = Buffer.alloc(Buffer.byteLength(text));
  bytes.write(text);
  return bytes;
}

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function edited(text: string, [position, kind, patch]: [number, string, string]): string {
  const at = Math.floor(position * text.length);
  if (kind === 'set') return text.slice(0, at) + patch + text.slice(at + 1);
  if (kind === 'drop') return text.slice(0, at) + text.slice(at + 1);
  return text.slice(0, at) + patch + text.slice(at);
}
