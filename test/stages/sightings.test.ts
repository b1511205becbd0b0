import { describe, expect, it } from 'vitest';
import type { ProviderBatch } from '../../src/ports/batch-provider.ts';
import { Sightings } from '../../src/stages/sightings.ts';
import { batchOf, providerWith } from './support/provider.ts';

const LISTS_PER_RETRIEVAL = 10;
const MAX_AGE_MS = 1_000;

/** A provider with so many live batches, and the calls that it was asked. */
function stage(count: number, pageSize = 100) {
  const ids = Array.from({ length: count }, (_, index) => `batch_${index}`);
  const statuses = new Map(ids.map((id) => [id, 'in_progress']));
  const calls = { retrieve: 0, list: 0 };
  const time = { nowMs: 0 };
  const view = (id: string): ProviderBatch => batchOf({ id, status: statuses.get(id) ?? 'lost' });
  const provider = providerWith({
    retrieveBatch: async (id) => {
      calls.retrieve += 1;
      return view(id);
    },
    listBatches: async (after) => {
      calls.list += 1;
      const start = after === null ? 0 : ids.indexOf(after) + 1;
      const page = ids.slice(start, start + pageSize);
      const next = start + pageSize < ids.length ? (page.at(-1) ?? null) : null;
      return { batches: page.map(view), next };
    },
  });
  const clock = { wallMs: () => 0, monotonicMs: () => time.nowMs, sleep: async () => {} };
  const sightings = new Sightings(provider, clock, LISTS_PER_RETRIEVAL);
  const round = async (): Promise<ProviderBatch[]> => {
    time.nowMs += MAX_AGE_MS;
    return Promise.all(ids.map((id) => sightings.look(id, MAX_AGE_MS)));
  };
  return { ids, statuses, calls, time, sightings, round };
}

describe('few live batches', () => {
  it('are each retrieved, and never listed', async () => {
    const { calls, round } = stage(7);
    for (let count = 0; count < 5; count += 1) await round();
    expect(calls).toEqual({ retrieve: 35, list: 0 });
  });
});

describe('many live batches', () => {
  it('are listed by pages, and each retrieved at its first look and every tenth', async () => {
    const { calls, round } = stage(150);
    await round();
    expect(calls.retrieve).toBe(150);
    calls.retrieve = 0;
    calls.list = 0;
    for (let count = 0; count < 9; count += 1) await round();
    expect(calls).toEqual({ retrieve: 0, list: 18 });
    await round();
    expect(calls.retrieve).toBe(150);
  });

  it('share one listing while it is young enough', async () => {
    const { calls, sightings, round, ids, time } = stage(20);
    await round();
    await round();
    const lists = calls.list;
    const some = ids.slice(0, 10);
    const lookAtSome = () => Promise.all(some.map((id) => sightings.look(id, MAX_AGE_MS)));
    calls.retrieve = 0;
    // These are looked at in the middle between two looks at the others.
    for (const id of some) sightings.forget(id);
    time.nowMs += MAX_AGE_MS / 2;
    await lookAtSome();
    time.nowMs += MAX_AGE_MS / 2;
    await Promise.all(ids.slice(10).map((id) => sightings.look(id, MAX_AGE_MS)));
    expect(calls.list).toBe(lists + 1);
    time.nowMs += MAX_AGE_MS / 2;
    await lookAtSome();
    expect(calls).toEqual({ retrieve: 10, list: lists + 1 });
  });

  it('are retrieved where they are looked at sooner than they said', async () => {
    const { calls, statuses, sightings, round, time } = stage(20);
    await round();
    await round();
    calls.retrieve = 0;
    statuses.set('batch_5', 'completed');
    time.nowMs += 1;
    expect((await sightings.look('batch_5', MAX_AGE_MS)).status).toBe('completed');
    expect(calls).toMatchObject({ retrieve: 1, list: 1 });
  });

  it('are retrieved before anything final is done with them', async () => {
    const { calls, statuses, round } = stage(20);
    await round();
    calls.retrieve = 0;
    statuses.set('batch_3', 'completed').set('batch_4', 'finalizing').set('batch_5', 'resting');
    const seen = await round();
    expect(seen[3]?.status).toBe('completed');
    expect(calls.retrieve).toBe(3);
  });

  it('that no list shows are retrieved', async () => {
    const { calls, ids, sightings, round } = stage(20);
    await round();
    ids.push('batch_unlisted');
    await sightings.look('batch_unlisted', MAX_AGE_MS);
    ids.pop();
    calls.retrieve = 0;
    expect((await sightings.look('batch_unlisted', MAX_AGE_MS)).id).toBe('batch_unlisted');
    expect(calls.retrieve).toBe(1);
  });

  it('are few again when enough of them are forgotten', async () => {
    const { calls, ids, sightings, round } = stage(9);
    await round();
    for (const id of ids.splice(0, 2)) sightings.forget(id);
    calls.retrieve = 0;
    calls.list = 0;
    await round();
    expect(calls).toEqual({ retrieve: 7, list: 0 });
  });
});

describe('a listing that fails', () => {
  it('fails the looks that wait for it, and is not kept', async () => {
    let failures = 1;
    const provider = providerWith({
      retrieveBatch: async (id) => batchOf({ id }),
      listBatches: async () => {
        if (failures-- > 0) throw new Error('weather');
        return { batches: [], next: null };
      },
    });
    let nowMs = 0;
    const clock = { wallMs: () => 0, monotonicMs: () => nowMs, sleep: async () => {} };
    const sightings = new Sightings(provider, clock, LISTS_PER_RETRIEVAL);
    const look = (index: number) => sightings.look(`batch_${index}`, MAX_AGE_MS);
    for (let index = 0; index < 8; index += 1) await look(index);
    nowMs += MAX_AGE_MS;
    await expect(look(0)).rejects.toThrow('weather');
    expect((await look(0)).id).toBe('batch_0');
  });
});
