import { expect, test, vi } from 'vitest';

import { jobBell } from '../../src/service/bells.ts';
import { openName } from '../../src/stages/names.ts';
import type { Hand } from '../simulation/scene.ts';
import { Scene } from '../simulation/scene.ts';

/** A settled job of one chunk that only has to be merged, and a worker that would do it. */
async function settledJob() {
  const scene = await Scene.open(['a-ok', 'b-ok']);
  const worker = scene.worker('worker');
  await scene.jobUntil(worker, 'planned');
  await scene.chunkUntil(worker, 'settled');
  const isOpen = async (): Promise<boolean> =>
    (await scene.turn(worker.blobs.head(openName(scene.job)))) !== null;
  return { scene, worker, isOpen };
}

/** Follows what the worker notes; `fails`: it cannot. */
function noting(hand: Hand, fails: string | null = null) {
  const spy = vi.spyOn(hand.callbacks, 'note');
  if (fails !== null) spy.mockRejectedValue(new Error(fails));
  return { statuses: () => spy.mock.calls.map(([{ status }]) => status) };
}

test('the end is noted when the result is there, before files are cleaned up', async () => {
  const { scene, worker, isOpen } = await settledJob();
  const noted = noting(worker);
  await scene.jobUntil(worker, 'merged');
  expect(noted.statuses()).toContain('merged');
  await scene.jobUntil(worker, 'done');
  expect(noted.statuses().at(-1)).toBe('done');
  expect(await isOpen()).toBe(false);
});

test('a job is not closed before its end is noted; a sweep makes up for both', async () => {
  const { scene, worker, isOpen } = await settledJob();
  await scene.jobUntil(worker, 'merged');
  noting(worker, 'ENOSPC');
  const { state, version } = (await scene.jobTask(worker)).stream;
  const due = jobBell(state, version);
  if (due === null) throw new Error('a merged job is to be cleaned');
  await expect(scene.turn(worker.steps.answer(due.bell))).rejects.toThrow('ENOSPC');
  expect(scene.jobState.status).toBe('done');
  expect(await isOpen()).toBe(true);

  const sweeper = scene.worker('sweeper');
  const noted = noting(sweeper);
  await scene.turn(sweeper.sweep.run());
  expect(noted.statuses()).toEqual(['done']);
  expect(await isOpen()).toBe(false);
});

test('a sweep notes an end whose process died just after its result was there', async () => {
  const { scene, worker } = await settledJob();
  noting(worker, 'killed');
  await expect(scene.jobUntil(worker, 'merged')).rejects.toThrow('killed');
  expect(scene.jobState.status).toBe('merged');
  const sweeper = scene.worker('sweeper');
  const noted = noting(sweeper);
  await scene.turn(sweeper.sweep.run());
  expect(noted.statuses()).toEqual(['merged']);
});
