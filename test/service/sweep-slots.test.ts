import { describe, expect, it } from 'vitest';
import { chunkIdOf } from '../../src/domain/ids.ts';
import { slotTakenByAnother, watchedJob } from './support/watched.ts';

it('a sweep leaves an uploaded chunk in line behind who has its slot: nothing idles', async () => {
  const { another, changes } = slotTakenByAnother();
  const { scene, worker, sweep } = await watchedJob(changes, { maxLiveBatches: 1 });
  await scene.chunkUntil(worker, 'uploaded');
  const { board, notices } = scene.world;
  await board.freeSlot('model', { job: scene.job, chunk: chunkIdOf(0) });
  for (let sweeps = 0; sweeps < 6; sweeps += 1) await sweep();
  expect((await board.holders('model')).map(({ holder }) => holder)).toEqual([another.holder]);
  expect(notices.get('job_idle')).toBeUndefined();
  // With a free slot nothing is in its way any more.
  another.isThere = false;
  for (let sweeps = 0; sweeps < 4; sweeps += 1) await sweep();
  expect(notices.get('job_idle')).toBe(1);
});

describe('a slot that the journal does not explain', () => {
  const MINUTE_MS = 60_000;

  it('is free at the next sweep where nothing of its chunk is about to be sent', async () => {
    const { scene, worker, sweep } = await watchedJob(undefined, { maxLiveBatches: 1 });
    await scene.chunkUntil(worker, 'ended');
    const { board } = scene.world;
    // As a Redis has it that came back with what it knew before.
    await board.restoreSlot('model', { job: scene.job, chunk: chunkIdOf(0) });
    await scene.wait(MINUTE_MS);
    await sweep();
    expect(await board.holders('model')).toEqual([]);
  });

  it('is kept for a quarter of an hour where its chunk may be being uploaded', async () => {
    const { scene, sweep } = await watchedJob(undefined, { maxLiveBatches: 1 });
    const { board } = scene.world;
    await board.restoreSlot('model', { job: scene.job, chunk: chunkIdOf(0) });
    await sweep();
    await sweep();
    expect(await board.holders('model')).toHaveLength(1);
    await scene.wait(10 * MINUTE_MS);
    await sweep();
    expect(await board.holders('model')).toEqual([]);
  });
});
