import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineSplitter } from '../../src/jsonl/line-splitter.ts';

const TOO_LONG = '(too long)';
const MARK = Buffer.from([0xef, 0xbb, 0xbf]);

describe('the line splitter', () => {
  it('agrees with splitting the whole text, whatever the sizes of blocks and reads', () => {
    const piece = fc.constantFrom('a', '\n', '\r', '\r\n', ' ', '\u2028', 'é', '漢', '🎉', 'xyz');
    const text = fc.array(piece, { maxLength: 60 }).map((pieces) => pieces.join(''));
    const reads = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 20 });
    const limit = fc.integer({ min: 1, max: 12 });
    fc.assert(
      fc.property(text, fc.boolean(), reads, limit, (plain, hasMark, sizes, maxLineBytes) => {
        const bytes = Buffer.from(plain);
        const input = hasMark ? Buffer.concat([MARK, bytes]) : bytes;
        expect(split(input, sizes, maxLineBytes)).toEqual(naive(bytes, maxLineBytes));
      }),
      { numRuns: 2000 },
    );
  });

  it('holds no more than the limit allows of a line that never ends', () => {
    const splitter = new LineSplitter({ lines: () => {}, tooLong: () => {} }, 1000, 256);
    for (let n = 0; n < 10_000; n += 1) {
      const room = splitter.room();
      splitter.buffer.fill(0x61, splitter.filled, splitter.filled + room);
      splitter.advance(room);
    }
    expect(splitter.buffer.length).toBeLessThanOrEqual(2 * (1000 + 2 * 256));
  });

  it('drops a byte order mark at the start and keeps one anywhere else', () => {
    const input = Buffer.concat([MARK, Buffer.from('a\n'), MARK, Buffer.from('b')]);
    expect(split(input, [1], 100)).toEqual(['a\n', '\ufeffb\n']);
  });

  it('hands on nothing for an input that is a byte order mark alone', () => {
    expect(split(MARK, [2], 100)).toEqual([]);
  });
});

/** Lines as texts, with their newlines; feeds the input in reads of the sizes in turn. */
function split(input: Buffer, sizes: readonly number[], maxLineBytes: number): string[] {
  const lines: string[] = [];
  const sink = {
    lines(buffer: Buffer, start: number, end: number): void {
      for (let at = start; at < end;) {
        const next = buffer.indexOf(0x0a, at) + 1;
        const isLong = next - 1 - at > maxLineBytes;
        lines.push(isLong ? TOO_LONG : buffer.toString('utf8', at, next));
        at = next;
      }
    },
    tooLong: () => void lines.push(TOO_LONG),
  };
  const splitter = new LineSplitter(sink, maxLineBytes, 8);
  for (let at = 0, turn = 0; at < input.length; turn += 1) {
    const room = splitter.room();
    const size = sizes[turn % sizes.length] ?? 1;
    const count = input.copy(splitter.buffer, splitter.filled, at, at + Math.min(room, size));
    splitter.advance(count);
    at += count;
  }
  splitter.end();
  return lines;
}

function naive(bytes: Buffer, maxLineBytes: number): string[] {
  const lines = bytes.toString('utf8').split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines.map((line) => (Buffer.byteLength(line) > maxLineBytes ? TOO_LONG : `${line}\n`));
}
