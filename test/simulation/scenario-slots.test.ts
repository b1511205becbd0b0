/** Slots: what a job that is held keeps from others. */

import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { openDoors } from './house.ts';
import { submissionOf } from './operator.ts';
import { Scene } from './scene.ts';

const DAY_MS = 24 * 3_600_000;

it('a held job keeps no slot for an uploaded chunk, and goes on when it is resumed', async () => {
  const scene = await Scene.open(['a-ok', 'b-ok'], { maxLiveBatches: 1 });
  const { world } = scene;
  const hand = scene.worker('worker');
  await scene.jobUntil(hand, 'planned');
  await scene.chunkUntil(hand, 'uploaded');
  const wish = { kind: 'hold', code: 'max_errors', message: 'as a test' } as const;
  await scene.turn((await scene.jobTask(hand)).stream.record({ type: 'wished', wish }));
  await scene.jobUntilSpread(hand);

  const ids = ['x-ok', 'y-ok'].map((id) => JSON.stringify({ custom_id: id, model: 'model' }));
  const bytes = Buffer.from(ids.map((line) => `${line}\n`).join(''));
  world.files.write('/other', bytes);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const submission = submissionOf('/other', bytes, world.profile, sha256);
  const { job } = await scene.turn(openDoors(world.steady('other'), world).jobs.submit(submission));
  world.start();
  const other = (): string | undefined => world.audit.jobs.get(job)?.status;
  await world.scheduler.run(world.scheduler.nowMs + DAY_MS, () => other() === 'done');
  expect(other()).toBe('done');
  expect(scene.chunk).toMatchObject({ status: 'uploaded', intent: { kind: 'hold' } });
  expect(world.audit.liveness.isTold(scene.job)).toBe(false);

  await scene.turn(hand.jobs.resume(scene.job));
  await scene.finishStarted();
  expect(scene.jobState.status).toBe('done');
  expect(scene.executed).toHaveLength(2);
  expect(world.violations).toEqual([]);
});
