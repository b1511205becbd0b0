import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { askedRange } from '../../src/http/byte-range.ts';
import type { AskedRange } from '../../src/http/byte-range.ts';
import { problemOf } from '../../src/http/problem.ts';

const ETAG = '"abc"';

function asked(range: string, sizeBytes = 100, ifRange?: string) {
  const headers = { range, ...(ifRange === undefined ? {} : { 'if-range': ifRange }) };
  return askedRange(headers, sizeBytes, ETAG);
}

/** What is asked for, or the status of the refusal. */
function rangeOrStatus(range: string, sizeBytes: number): AskedRange | number | null {
  try {
    return asked(range, sizeBytes);
  } catch (error) {
    return problemOf(error).status;
  }
}

function isWithin(found: AskedRange | number, sizeBytes: number): boolean {
  if (typeof found === 'number') return false;
  return found.start >= 0 && found.start < found.end && found.end <= sizeBytes;
}

describe('a range', () => {
  test('is what lies between two bytes, from one on, or the last ones', () => {
    expect(asked('bytes=0-0')).toEqual({ start: 0, end: 1 });
    expect(asked('bytes=10-19')).toEqual({ start: 10, end: 20 });
    expect(asked('bytes=10-1000')).toEqual({ start: 10, end: 100 });
    expect(asked('bytes=99-')).toEqual({ start: 99, end: 100 });
    expect(asked('bytes=-1')).toEqual({ start: 99, end: 100 });
    expect(asked('bytes=-1000')).toEqual({ start: 0, end: 100 });
    expect(asked('Bytes= 1-2 ')).toEqual({ start: 1, end: 3 });
  });

  test('that is none, or several, counts as not asked for', () => {
    for (const range of [
      '',
      'bytes=',
      'bytes=-',
      'bytes=2-1',
      'bytes=0-1,3-4',
      'lines=0-1',
      '1-2',
    ]) {
      expect(asked(range), range).toBeNull();
    }
    expect(askedRange({}, 100, ETAG)).toBeNull();
  });

  test('that begins behind the end is refused, with the size', () => {
    for (const [range, size] of [
      ['bytes=100-', 100],
      ['bytes=100-200', 100],
      ['bytes=-0', 100],
      ['bytes=0-', 0],
      ['bytes=-5', 0],
    ] as const) {
      const refused = { status: 416, headers: { 'content-range': `bytes */${size}` } };
      expect(() => asked(range, size), range).toThrow(expect.objectContaining(refused));
    }
  });

  test('holds only for the same content where the client says which it has', () => {
    expect(asked('bytes=1-2', 100, ETAG)).toEqual({ start: 1, end: 3 });
    expect(asked('bytes=1-2', 100, '"other"')).toBeNull();
    expect(asked('bytes=1-2', 100, `W/${ETAG}`)).toBeNull();
    expect(asked('bytes=500-', 100, '"other"')).toBeNull();
  });

  test('lies within the content, or is refused, or ignored, whatever is asked', () => {
    const text = fc.oneof(fc.string(), fc.stringMatching(/^bytes=\d{0,17}-\d{0,17}$/));
    fc.assert(
      fc.property(text, fc.nat(), (range, size) => {
        const found = rangeOrStatus(range, size);
        expect(found === 416 || found === null || isWithin(found, size)).toBe(true);
      }),
    );
  });
});
