import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ProviderBatch } from '../../src/ports/batch-provider.ts';
import { findBatches } from '../../src/stages/look.ts';
import { batchOf, providerWith } from './support/provider.ts';

const MINUTE_MS = 60_000;
const FILE = { fileId: 'file-1', createdAtMs: 100 * MINUTE_MS };

/** A provider that lists these in this order, two to a page, and how many pages were read. */
function listing(batches: readonly ProviderBatch[]) {
  const read = { pages: 0 };
  const provider = providerWith({
    listBatches: async (after) => {
      read.pages += 1;
      const start = after === null ? 0 : batches.findIndex(({ id }) => id === after) + 1;
      const page = batches.slice(start, start + 2);
      const isLast = start + 2 >= batches.length;
      return { batches: page, next: isLast ? null : (page.at(-1)?.id ?? null) };
    },
  });
  return { provider, read };
}

function batchAt(minute: number, inputFileId: string | null = 'file-0'): ProviderBatch {
  const id = `batch_${minute}_${inputFileId}`;
  return batchOf({ id, inputFileId, createdAtMs: minute * MINUTE_MS });
}

describe('a look for the batches of an input file', () => {
  const old = [50, 40, 30, 20, 10].map((minute) => batchAt(minute));

  it('stops where a provider that lists the newest first lists what is older', async () => {
    const { provider, read } = listing([batchAt(101, 'file-1'), ...old]);
    const found = await findBatches(provider, [FILE], true);
    expect(found.map(({ id }) => id)).toEqual(['batch_101_file-1']);
    expect(read.pages).toBe(1);
  });

  it('reads to the end where the order is not known, whatever it looks like', async () => {
    const { provider } = listing([...old, batchAt(101, 'file-1')]);
    expect(await findBatches(provider, [FILE], false)).toHaveLength(1);
  });

  it('reads to the end where the order or the times break the promise', async () => {
    const late = batchAt(101, 'file-1');
    const timeless = batchOf({ id: 'batch_x', inputFileId: null, createdAtMs: 0 });
    for (const first of [timeless, batchAt(5)]) {
      const { provider } = listing([first, ...old, late]);
      expect(await findBatches(provider, [FILE], true)).toHaveLength(1);
    }
    const { provider } = listing([...old, late]);
    const timelessFile = { ...FILE, createdAtMs: 0 };
    expect(await findBatches(provider, [timelessFile], true)).toHaveLength(1);
  });

  it('allows for ten minutes between the clocks of files and of batches', async () => {
    const { provider } = listing([batchAt(99), batchAt(95), batchAt(91, 'file-1'), ...old]);
    expect(await findBatches(provider, [FILE], true)).toHaveLength(1);
  });

  it('finds all of them in any order, the oldest first, and no other', async () => {
    const minutes = fc.uniqueArray(fc.nat(300), { maxLength: 12 });
    const property = fc.asyncProperty(minutes, fc.nat(3), async (times, share) => {
      const all = times.map((minute, at) => batchAt(minute, at % 4 <= share ? 'file-1' : null));
      const { provider } = listing(all);
      const found = await findBatches(provider, [FILE], false);
      const expected = all
        .filter(({ inputFileId }) => inputFileId === 'file-1')
        .toSorted((a, b) => a.createdAtMs - b.createdAtMs);
      expect(found).toEqual(expected);
    });
    await fc.assert(property, { numRuns: 200 });
  });
});
