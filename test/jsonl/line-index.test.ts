import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  FLAG_ESCAPED_ID,
  FLAG_NO_ID,
  FLAG_REJECTED,
  LineIndex,
  RECORD_BYTES,
  writeRecord,
} from '../../src/jsonl/line-index.ts';

const UINT32 = fc.integer({ min: 0, max: 0xffff_ffff });

describe('the line index', () => {
  it('gives back every record as it was written', () => {
    const entry = fc.record({
      line: fc.integer({ min: 1, max: 2 ** 48 - 1 }),
      isRejected: fc.boolean(),
      offset: UINT32,
      length: UINT32,
      id: fc.option(fc.string({ unit: 'grapheme', minLength: 1 })),
    });
    fc.assert(
      fc.property(fc.array(entry), (entries) => {
        const index = written(entries);
        expect(index.count).toBe(entries.length);
        for (const [n, expected] of entries.entries()) {
          expect(index.line(n)).toBe(expected.line);
          expect(index.isRejected(n)).toBe(expected.isRejected);
          expect(index.offset(n)).toBe(expected.offset);
          expect(index.length(n)).toBe(expected.length);
          expect(index.hasId(n)).toBe(expected.id !== null);
          expect(index.idBytes(n).toString()).toBe(expected.id ?? '');
        }
      }),
    );
  });

  it('refuses bytes that are not whole records', () => {
    const bytes = Buffer.alloc(RECORD_BYTES + 1);
    expect(() => new LineIndex(bytes, Buffer.alloc(0))).toThrow(RangeError);
  });
});

interface Entry {
  line: number;
  isRejected: boolean;
  offset: number;
  length: number;
  id: string | null;
}

function written(entries: readonly Entry[]): LineIndex {
  const records = Buffer.alloc(entries.length * RECORD_BYTES);
  const ids: Buffer[] = [];
  let idOffset = 0;
  for (const [n, { line, isRejected, offset, length, id }] of entries.entries()) {
    const raw = Buffer.from(id === null ? '' : JSON.stringify(id).slice(1, -1));
    const escaped = raw.includes(0x5c) ? FLAG_ESCAPED_ID : 0;
    const flags = (isRejected ? FLAG_REJECTED : 0) | (id === null ? FLAG_NO_ID : 0) | escaped;
    writeRecord(records, n, { line, flags, offset, length, idOffset, idLength: raw.length });
    ids.push(raw);
    idOffset += raw.length;
  }
  return new LineIndex(records, Buffer.concat(ids));
}
