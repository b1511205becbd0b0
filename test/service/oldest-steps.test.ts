import { describe, expect, it } from 'vitest';

import { Alerts } from '../../src/service/alerts.ts';
import { OldestSteps } from '../../src/service/oldest-steps.ts';
import { Sweep } from '../../src/service/sweep.ts';
import { IDENTITY } from '../simulation/house.ts';
import type { Hand } from '../simulation/scene.ts';
import { Scene } from '../simulation/scene.ts';

const HOUR_MS = 3_600_000;

describe('the oldest steps', () => {
  it('are the oldest of each kind, and what is not due yet is none', () => {
    const oldest = new OldestSteps();
    oldest.note('poll', 5);
    oldest.note('poll', 9);
    oldest.note('poll', 7);
    oldest.note('upload', -1);
    oldest.note('settle', 0);
    expect(oldest.all()).toEqual({ poll: 9, settle: 0 });
  });
});

/** Sweeps by a clock that agrees with that of whoever wrote the first event of the job. */
async function sweeping(scene: Scene, hand: Hand) {
  const stream = (await scene.turn(hand.views.jobTask(scene.job)))?.stream;
  const aheadMs = (stream?.atMs ?? 0) - scene.world.scheduler.nowMs;
  const clock = { ...hand.clock, wallMs: () => scene.world.scheduler.nowMs + aheadMs };
  const tools = { ...hand.tools, clock };
  const alerts = new Alerts(hand.blobs, hand.journal, hand.clock);
  const sweep = new Sweep(tools, hand.queue, hand.views, alerts, IDENTITY, hand.callbacks);
  return {
    ages: async () => {
      await scene.turn(sweep.run());
      return sweep.stepAges();
    },
    last: () => sweep.stepAges(),
  };
}

describe('a sweep', () => {
  it('tells how long a job has waited to be planned, and chunks to be uploaded', async () => {
    const scene = await Scene.open(['a-ok', 'b-ok', 'c-ok']);
    const hand = scene.worker('worker');
    const { ages, last } = await sweeping(scene, hand);
    expect(last()).toEqual({});
    await scene.wait(HOUR_MS);
    const before = await ages();
    expect(Object.keys(before)).toEqual(['plan']);
    expect(before['plan']).toBeGreaterThanOrEqual(HOUR_MS);
    await scene.jobUntil(hand, 'planned');
    await scene.wait(HOUR_MS);
    const after = await ages();
    expect(Object.keys(after)).toEqual(['upload']);
  });

  it('tells of a batch since when it runs, and of nothing when the job is over', async () => {
    const scene = await Scene.open(['a-ok', 'b-ok']);
    const hand = scene.worker('worker');
    await scene.jobUntil(hand, 'planned');
    await scene.chunkUntil(hand, 'submitted');
    const { ages } = await sweeping(scene, hand);
    await scene.wait(HOUR_MS / 2);
    const running = await ages();
    expect(Object.keys(running)).toEqual(['poll']);
    // The event was written some seconds before the clocks were made to agree.
    expect(running['poll']).toBeGreaterThan(HOUR_MS / 2 - 60_000);
    await scene.chunkUntil(hand, 'settled');
    expect(Object.keys(await ages())).toEqual(['merge']);
    await scene.jobUntil(hand, 'done');
    expect(await ages()).toEqual({});
  });
});
