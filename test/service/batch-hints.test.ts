import { describe, expect, it } from 'vitest';

import { chunkIdOf } from '../../src/domain/ids.ts';
import type { ProviderBatch } from '../../src/ports/batch-provider.ts';
import type { Bell } from '../../src/ports/work-queue.ts';
import { BatchHints } from '../../src/service/batch-hints.ts';
import { Scene } from '../simulation/scene.ts';
import { batchOf } from '../stages/support/provider.ts';

type Retrieve = (batchId: string, usual: () => ProviderBatch) => Promise<ProviderBatch>;

/** A job of two chunks, the first of which has a batch; and what a hint makes of it. */
async function hinted(retrieve: Retrieve = async (_, usual) => usual()) {
  const scene = await Scene.open(['a-ok', 'b-ok', 'c-ok', 'd-ok']);
  const worker = scene.worker('worker');
  await scene.jobUntil(worker, 'planned');
  await scene.chunkUntil(worker, 'submitted');
  const { chunk } = scene;
  if (chunk.status !== 'submitted') throw new Error('the chunk is submitted');
  const { batchId } = chunk;
  const woken: Bell[] = [];
  const metadata = { installation: 'sim', job: scene.job, chunk: chunkIdOf(0) };
  let retrieved = 0;
  const hints = new BatchHints({
    provider: {
      retrieveBatch: (id) => {
        retrieved += 1;
        return retrieve(id, () => batchOf({ id, status: 'completed', metadata }));
      },
    },
    blobs: worker.blobs,
    views: worker.views,
    queue: { wake: async (bell) => void woken.push(bell) },
    installation: 'sim',
  });
  const hear = async (id: string): Promise<string[]> => {
    hints.hear(id);
    await scene.turn(hints.settled());
    return woken.map(({ queue, chunk: name }) => `${queue} ${name}`);
  };
  return { scene, worker, batchId, hints, hear, woken, metadata, retrieved: () => retrieved };
}

describe('a hint', () => {
  it('wakes the poll of the chunk that its batch’s metadata names', async () => {
    const { hear, batchId, woken, scene, worker } = await hinted();
    expect(await hear(batchId)).toEqual(['poll c000000']);
    const { stream } = await scene.chunkTask(worker);
    expect(woken[0]).toMatchObject({ job: scene.job, version: stream.version });
  });

  it.each([
    ['has lost its metadata', {}],
    ['names a chunk that it is not', { installation: 'sim', chunk: chunkIdOf(1) }],
    ['names a job that is not here', { job: `job_${'0'.repeat(26)}`, chunk: chunkIdOf(0) }],
    ['names nonsense', { job: '../..', chunk: '7' }],
  ])('finds the chunk where the batch %s', async (_, metadata) => {
    const { hear, batchId } = await hinted(async (id) => batchOf({ id, metadata }));
    expect(await hear(batchId)).toEqual(['poll c000000']);
  });

  it('of another installation’s batch is ignored', async () => {
    const metadata = { installation: 'other', job: 'job', chunk: chunkIdOf(0) };
    const { hear, batchId } = await hinted(async (id) => batchOf({ id, metadata }));
    expect(await hear(batchId)).toEqual([]);
  });

  it('of a batch that nobody waits for wakes nobody', async () => {
    const { hear } = await hinted();
    expect(await hear('batch_of_somebody')).toEqual([]);
  });

  it('that comes after the batch was collected wakes nobody', async () => {
    const { hear, batchId, scene, worker } = await hinted();
    await scene.chunkUntil(worker, 'settled');
    expect(await hear(batchId)).toEqual([]);
  });

  it('is dropped where the look-up fails', async () => {
    const { hear, batchId } = await hinted(() => Promise.reject(new Error('weather')));
    expect(await hear(batchId)).toEqual([]);
  });
});

describe('many hints', () => {
  it('are followed four at once, and those beyond a thousand are dropped', async () => {
    const open: (() => void)[] = [];
    const scene = await hinted(
      (id) =>
        new Promise((resolve) => {
          open.push(() => resolve(batchOf({ id, metadata: { installation: 'other' } })));
        }),
    );
    for (let number = 0; number < 1_200; number += 1) scene.hints.hear(`batch_${number}`);
    expect(scene.retrieved()).toBe(4);
    while (open.length > 0) {
      open.shift()?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await scene.hints.settled();
    expect(scene.retrieved()).toBe(1_004);
  });

  it('for one batch that waits already are one', async () => {
    const open: (() => void)[] = [];
    const scene = await hinted(
      (id) =>
        new Promise((resolve) => {
          open.push(() => resolve(batchOf({ id, metadata: { installation: 'other' } })));
        }),
    );
    for (const id of ['a', 'b', 'c', 'd', 'e', 'e', 'e']) scene.hints.hear(id);
    for (let turns = 0; turns < 10; turns += 1) {
      open.shift()?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(scene.retrieved()).toBe(5);
  });
});
