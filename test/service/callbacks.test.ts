import { expect, test } from 'vitest';

import { CALLBACKS_FOLDER } from '../../src/stages/names.ts';
import { SPEC, jobIn } from '../domain/support/samples.ts';
import { answered, callbackScene } from './support/callback-scene.ts';

test('the end of a job is noted once, with the time at which it was seen first', async () => {
  const scene = await callbackScene();
  const state = await scene.job(1);
  const { callbacks } = scene.teller(async () => answered(204));
  let noted = 0;
  const deafen = callbacks.onNoted(() => (noted += 1));
  await callbacks.note(state);
  scene.pass(1_000);
  await callbacks.note(state);
  expect(noted).toBe(1);
  const atMs = scene.time.wallMs - 1_000;
  expect(await callbacks.pending(state)).toEqual({ event: 'job.completed', atMs });
  expect(await callbacks.waiting()).toEqual([state.spec.id]);
  deafen();
});

test('what is not over, or wants nothing, is not noted', async () => {
  const scene = await callbackScene();
  const { callbacks } = scene.teller(async () => answered(204));
  await callbacks.note(await scene.job(1, 'planned'));
  await callbacks.note(jobIn('done', { spec: SPEC }));
  expect(await scene.blobs.list(CALLBACKS_FOLDER)).toEqual([]);
});

test('what was told is not noted again', async () => {
  const scene = await callbackScene();
  const state = await scene.job(1);
  const { callbacks } = scene.teller(async () => answered(204));
  await callbacks.note(state);
  const outcome = { outcome: 'delivered', event: 'job.completed', tries: 1 } as const;
  await callbacks.close(state.spec.id, outcome);
  await callbacks.note(state);
  expect(await callbacks.waiting()).toEqual([]);
  expect(await callbacks.pending(state)).toBeNull();
});

test('a mark that was damaged still tells of the end', async () => {
  const scene = await callbackScene();
  const state = await scene.job(1, 'refused');
  const { callbacks } = scene.teller(async () => answered(204));
  await callbacks.note(state);
  await scene.blobs.put(`${CALLBACKS_FOLDER}/${state.spec.id}.json`, Buffer.from('{'));
  const atMs = scene.time.wallMs;
  expect(await callbacks.pending(state)).toEqual({ event: 'job.failed', atMs });
});

test('of many that claim a try one has it', async () => {
  const scene = await callbackScene();
  const { spec } = await scene.job(1);
  const tellers = Array.from({ length: 8 }, () => scene.teller(async () => answered(204)));
  const claims = await Promise.all(tellers.map(({ callbacks }) => callbacks.claim(spec.id, 1)));
  expect(claims.filter(Boolean)).toHaveLength(1);
  expect(await tellers[0]?.callbacks.tries(spec.id)).toEqual({
    count: 1,
    lastAtMs: scene.time.wallMs,
  });
});
