import { expect, it } from 'vitest';
import { chunkIdOf } from '../../src/domain/ids.ts';
import { submit } from '../../src/stages/submit.ts';
import { chunkScene, refusal } from './support/chunk-scene.ts';

async function fullScene() {
  const stage = await chunkScene('uploaded', {
    createBatch: () => Promise.reject(refusal(429)),
  });
  const { board } = stage.scene.world;
  const own = { job: stage.scene.job, chunk: chunkIdOf(0) };
  await board.freeSlot('model', own);
  const others = [7, 8, 9].map((index) => ({ job: stage.scene.job, chunk: chunkIdOf(index) }));
  for (const other of others) await board.restoreSlot('model', other);
  return { ...stage, board, own, others };
}

it('an uploaded chunk without a slot stands in line, and is next when one is free', async () => {
  const { run, scene, board, own, others } = await fullScene();
  expect(await run(submit)).toEqual({ kind: 'parked' });
  expect(scene.count('submitting')).toBe(0);
  expect(await board.freeSlot('model', others[0] ?? own)).toEqual(own);
  await run(submit);
  expect(scene.count('submitting')).toBe(1);
});

it('nothing is decided while the board is being rebuilt', async () => {
  const { run, scene, tools } = await fullScene();
  const unready = { ...tools.board, takeSlot: async () => 'unready' as const };
  expect(await run(submit, { ...tools, board: unready })).toMatchObject({ kind: 'later' });
  expect(scene.count('submitting')).toBe(0);
});
