/** Which of several batches over the same requests is not needed: never one that still may be. */

import { describe, expect, it } from 'vitest';

import { createSystemClock } from '../../src/adapters/system/clock.ts';
import type { ChunkState } from '../../src/domain/chunk.ts';
import { freshChunk } from '../../src/domain/chunk.ts';
import { Weather } from '../../src/domain/errors.ts';
import type { ProviderBatch } from '../../src/ports/batch-provider.ts';
import { endDuplicate, findDuplicates } from '../../src/service/duplicates.ts';
import type { JobViews } from '../../src/service/job-views.ts';
import { DECIDED, ENDED, jobIn } from '../domain/support/samples.ts';
import { batchOf, providerWith } from '../stages/support/provider.ts';

const CLOCK = createSystemClock();
const COMMON = {
  ...freshChunk(3),
  attempt: DECIDED,
  batchId: 'main',
  strays: [{ batchId: 'stray', number: 1, spared: true }],
};
const SUBMITTED: ChunkState = { ...COMMON, status: 'submitted' };

function gone(): never {
  const message = 'No such batch';
  throw new Weather({ kind: 'permanent', status: 404, code: null, message, retryAfterMs: null });
}

/** The ids of what is called a duplicate, with these batches at the provider. */
async function duplicates(
  state: ChunkState,
  batches: Readonly<Record<string, Partial<ProviderBatch>>>,
): Promise<string[]> {
  const planned = jobIn('planned');
  const spec = { ...planned.spec, source: { ...planned.spec.source, kind: 'batches' } };
  const job = { ...planned, spec } as typeof planned;
  const views = {
    plan: async () => ({ chunks: [{ id: 'c000000' }] }),
    chunkStream: async () => ({ state }),
  } as unknown as JobViews;
  const provider = providerWith({
    retrieveBatch: async (id) => batchOf({ id, ...(batches[id] ?? gone()) }),
  });
  const found = await findDuplicates(job, views, provider, CLOCK);
  return found.map(({ id }) => id);
}

const LIVE = { status: 'in_progress' };

describe('a second batch over requests of a chunk', () => {
  it('is one while the first can still answer all of them, or did', async () => {
    const counts = { total: 3, completed: 3, failed: 0 };
    for (const main of [LIVE, { status: 'validating' }, { status: 'completed', counts }]) {
      expect(await duplicates(SUBMITTED, { main, stray: LIVE })).toEqual(['stray']);
    }
    const ended: ChunkState = { ...COMMON, status: 'ended', batch: ENDED };
    expect(await duplicates(ended, { stray: LIVE })).toEqual(['stray']);
    const tally = { succeeded: 3, failed: 0, pending: 0 };
    const settling: ChunkState = { ...COMMON, status: 'settling', close: null, tally };
    expect(await duplicates(settling, { stray: LIVE })).toEqual(['stray']);
  });

  it('is needed where the first left something, or may', async () => {
    const part = { total: 3, completed: 1, failed: 2 };
    for (const main of [
      { status: 'expired', counts: part },
      { status: 'completed', counts: part },
      { status: 'completed', counts: null },
      { status: 'cancelling' },
      { status: 'finalizing' },
    ]) {
      expect(await duplicates(SUBMITTED, { main, stray: LIVE })).toEqual([]);
    }
    expect(await duplicates(SUBMITTED, { stray: LIVE })).toEqual([]);
    const ended: ChunkState = { ...COMMON, status: 'ended', batch: { ...ENDED, counts: null } };
    expect(await duplicates(ended, { stray: LIVE })).toEqual([]);
    const waiting: ChunkState = { ...COMMON, status: 'waiting', pauseMs: 0, reason: '' };
    expect(await duplicates(waiting, { stray: LIVE })).toEqual([]);
  });

  it('is none where it has ended, is gone, or was ours to make', async () => {
    expect(await duplicates(SUBMITTED, { main: LIVE, stray: { status: 'expired' } })).toEqual([]);
    expect(await duplicates(SUBMITTED, { main: LIVE })).toEqual([]);
    const own = { ...SUBMITTED, strays: [{ batchId: 'stray', number: 1 }] };
    expect(await duplicates(own, { main: LIVE, stray: LIVE })).toEqual([]);
  });
});

describe('the end of one', () => {
  it('is said only where the provider took the order', async () => {
    const taken = providerWith({ cancelBatch: async (id) => batchOf({ id }) });
    expect(await endDuplicate(batchOf(), taken, CLOCK)).toBe(true);
    const refused = providerWith({ cancelBatch: async () => gone() });
    expect(await endDuplicate(batchOf(), refused, CLOCK)).toBe(false);
  });
});
