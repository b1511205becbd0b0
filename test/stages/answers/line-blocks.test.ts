import { closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LineBlocks } from '../../../src/stages/answers/line-blocks.ts';
import { temporaryFolder } from './made-answers.ts';

interface Read {
  lines: { text: string; offset: number }[];
  cut: boolean;
  overlong: readonly { offset: number; length: number }[];
}

function read(content: Buffer, maxLineBytes: number): Read {
  using folder = temporaryFolder();
  const path = join(folder.path, 'lines');
  writeFileSync(path, content);
  const fd = openSync(path, 'r');
  const blocks = new LineBlocks(fd, 0, maxLineBytes);
  const lines: Read['lines'] = [];
  while (blocks.next()) {
    for (let start = 0; start < blocks.end;) {
      const newline = blocks.bytes.indexOf(10, start);
      const text = blocks.bytes.toString('latin1', start, newline);
      lines.push({ text, offset: blocks.offset + start });
      start = newline + 1;
    }
  }
  closeSync(fd);
  return { lines, cut: blocks.cut, overlong: blocks.overlong };
}

describe('LineBlocks', () => {
  test('finds every line and its place, short and long, and passes over those too long', () => {
    const block = 256 * 1024;
    const maxLineBytes = 3 * block;
    const length = fc.oneof(
      { weight: 3, arbitrary: fc.nat({ max: 20_000 }) },
      { weight: 1, arbitrary: fc.integer({ min: block - 3, max: block + 3 }) },
      { weight: 1, arbitrary: fc.integer({ min: block, max: 7 * block }) },
    );
    fc.assert(
      fc.property(fc.array(length, { maxLength: 12 }), fc.boolean(), (lengths, isCut) => {
        const texts = lengths.map((size, index) => String(index % 10).repeat(size));
        const content = Buffer.from(texts.join('\n') + (isCut ? '' : '\n'), 'latin1');
        const { lines, overlong, cut } = read(content, maxLineBytes);
        let offset = 0;
        const expected = texts.map((text) => {
          const place = { text, offset };
          offset += text.length + 1;
          return place;
        });
        const isLast = (index: number) => index === texts.length - 1 && isCut;
        const whole = expected.filter(({ text }, index) => !isLast(index) || text !== '');
        const known = new Map(overlong.map((place) => [place.offset, place.length]));
        const found = [
          ...lines.map((line) => [line.offset, line.text.length, line.text[0]]),
          ...[...known].map(([at, size]) => [at, size, content.toString('latin1', at, at + 1)]),
        ].toSorted((a, b) => Number(a[0]) - Number(b[0]));
        const named = texts.length === 0 && !isCut ? [{ text: '', offset: 0 }] : whole;
        expect(found).toEqual(named.map(({ text, offset: at }) => [at, text.length, text[0]]));
        expect(overlong.every((place) => place.length >= maxLineBytes)).toBe(true);
        expect(cut).toBe(isCut && (texts.at(-1) ?? '') !== '');
      }),
      { numRuns: 60 },
    );
  });

  test('does not call a file cut whose last bytes are blank', () => {
    expect(read(Buffer.from('a\n \t\r'), 1 << 20).cut).toBe(false);
    expect(read(Buffer.from('a\n b'), 1 << 20).cut).toBe(true);
    expect(read(Buffer.alloc(0), 1 << 20)).toEqual({ lines: [], cut: false, overlong: [] });
  });
});
