import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DuplicateIds } from '../../../src/stages/plan/duplicate-ids.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'batchwright-ids-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('finding duplicate ids', () => {
  it('agrees with a map of ids, however many are compared at once', () => {
    const id = fc.oneof(fc.stringMatching(/^[ab]{1,3}$/), fc.string({ unit: 'grapheme' }));
    fc.assert(
      fc.property(
        fc.array(id, { maxLength: 200 }),
        fc.integer({ min: 1, max: 20 }),
        (ids, most) => {
          expect(duplicatesOf(ids, most)).toEqual(naive(ids));
        },
      ),
      { numRuns: 200 },
    );
  });

  it('finds the few twins among ids that fill the disk', () => {
    const ids = Array.from({ length: 400_000 }, (_, n) => `request-${n}`);
    for (const n of [7, 1000, 399_000]) ids[n] = 'request-3';
    expect(duplicatesOf(ids, 250_000)).toEqual([
      [8, 4],
      [1001, 4],
      [399_001, 4],
    ]);
    expect(readdirSync(folder).toSorted()).toEqual(['hashes.tmp', 'ids.tmp']);
  });

  it('finds every one of a great many twins of one id', () => {
    const ids = Array.from({ length: 600_000 }, (_, n) => (n % 2 === 0 ? 'same' : `${n}`));
    expect(duplicatesOf(ids, 250_000)).toHaveLength(299_999);
  });

  it('keeps few ids in memory and makes no file', () => {
    expect(duplicatesOf(['a', 'b', 'a'], 10)).toEqual([[3, 1]]);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('compares ids longer than its buffers', () => {
    const long = 'x'.repeat(700_000);
    expect(duplicatesOf([long, `${long}y`, 'a', long, 'a'], 10)).toEqual([
      [4, 1],
      [5, 3],
    ]);
  });
});

/** Pairs of a duplicate's line and its first line, by line. */
function duplicatesOf(ids: readonly string[], maxSuspects: number): [number, number][] {
  const duplicates = new DuplicateIds(folder, maxSuspects);
  const place = { line: 0, chunk: 0, record: 0, sizeBytes: 0, inputs: 0 };
  for (const [n, id] of ids.entries()) {
    const bytes = Buffer.from(id);
    duplicates.add(bytes, 0, bytes.length, { ...place, line: n + 1, record: n });
  }
  const found: [number, number][] = [];
  duplicates.find((at, firstLine) => {
    expect(at.record).toBe(at.line - 1);
    found.push([at.line, firstLine]);
  });
  duplicates.close();
  return found.toSorted((a, b) => a[0] - b[0]);
}

function naive(ids: readonly string[]): [number, number][] {
  const first = new Map<string, number>();
  const found: [number, number][] = [];
  for (const [n, id] of ids.entries()) {
    const firstLine = first.get(id);
    if (firstLine === undefined) first.set(id, n + 1);
    else found.push([n + 1, firstLine]);
  }
  return found;
}
