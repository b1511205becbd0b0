import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { IdsDigest } from '../../src/jsonl/ids-digest.ts';

it('digests ids of any length as netstrings and missing ones as dashes', () => {
  const long = fc.integer({ min: 65_000, max: 70_000 }).map((length) => 'x'.repeat(length));
  const id = fc.oneof(
    { weight: 20, arbitrary: fc.string({ unit: 'grapheme', minLength: 1 }) },
    { weight: 1, arbitrary: long },
    { weight: 5, arbitrary: fc.constant(null) },
  );
  fc.assert(
    fc.property(fc.array(id, { maxLength: 50 }), fc.integer({ min: 1, max: 30 }), (ids, times) => {
      const digest = new IdsDigest();
      const parts: Buffer[] = [];
      for (let time = 0; time < times; time += 1) {
        for (const one of ids) {
          const bytes = Buffer.from(`<${one}>`);
          if (one === null) digest.addMissing();
          else digest.add(bytes, 1, bytes.length - 1);
          const length = bytes.length - 2;
          parts.push(one === null ? Buffer.from('-') : Buffer.from(`${length}:${one},`));
        }
      }
      const expected = createHash('sha256').update(Buffer.concat(parts)).digest('hex');
      expect(digest.hex()).toBe(expected);
    }),
  );
});
