import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineGauge } from '../../src/http/line-gauge.ts';

/** Byte by byte: where the first line begins that is longer than `max`; null: none is. */
function longLineStart(bytes: Buffer, max: number): number | null {
  let start = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    if (bytes[at] === 10) start = at + 1;
    else if (at - start + 1 > max) return start;
  }
  return null;
}

describe('LineGauge', () => {
  it('finds the first line that is too long, however the bytes are cut into blocks', () => {
    const byte = fc.constantFrom(10, 97, 97, 97, 97);
    const property = fc.property(
      fc.array(byte, { maxLength: 200 }),
      fc.array(fc.nat(40), { minLength: 1, maxLength: 60 }),
      fc.integer({ min: 1, max: 12 }),
      (bytes, cuts, max) => {
        const all = Buffer.from(bytes);
        const gauge = new LineGauge(max);
        let isShort = true;
        for (let at = 0, turn = 0; at < all.length && isShort; turn += 1) {
          // A block of nothing now and then; in the end, the rest.
          const size = turn < cuts.length ? (cuts[turn] ?? 0) : all.length;
          isShort = gauge.takes(all.subarray(at, at + size));
          at += size;
        }
        const expected = longLineStart(all, max);
        expect(isShort ? null : gauge.lineStart).toBe(expected);
      },
    );
    fc.assert(property, { numRuns: 2_000 });
  });
});
