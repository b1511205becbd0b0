import { expect, it } from 'vitest';
import { chunkIdOf } from '../../src/domain/ids.ts';
import { watchedJob } from './support/watched.ts';

it('a sweep leaves an uploaded chunk in line behind who has its slot: nothing idles', async () => {
  const { scene, worker, sweep } = await watchedJob(undefined, { maxLiveBatches: 1 });
  await scene.chunkUntil(worker, 'uploaded');
  const { board, notices } = scene.world;
  await board.freeSlot('model', { job: scene.job, chunk: chunkIdOf(0) });
  const other = { job: `job_${'z'.repeat(26)}`, chunk: chunkIdOf(0) } as never;
  for (let sweeps = 0; sweeps < 6; sweeps += 1) {
    await board.restoreSlot('model', other);
    await sweep();
  }
  expect((await board.holders('model')).map(({ holder }) => holder)).toEqual([other]);
  expect(notices.get('job_idle')).toBeUndefined();
  // With a free slot nothing is in its way any more.
  await board.freeSlot('model', other);
  for (let sweeps = 0; sweeps < 3; sweeps += 1) await sweep();
  expect(notices.get('job_idle')).toBe(1);
});
