import { describe, expect, it } from 'vitest';
import { chunkIdOf } from '../../src/domain/ids.ts';
import type { ErrorBound } from '../../src/domain/job.ts';
import { Brake } from '../../src/service/brake.ts';
import { settledName } from '../../src/stages/names.ts';
import { PART } from '../domain/support/samples.ts';
import { Scene } from '../simulation/scene.ts';

/** A planned job with the bound, its brake, and marks of settled chunks. */
async function braked(bound: ErrorBound | null) {
  const scene = await Scene.open(['a-ok', 'b-ok', 'c-ok', 'd-ok']);
  const hand = scene.worker('worker');
  await scene.jobUntil(hand, 'planned');
  const options = { maxAttempts: 3, maxErrors: bound };
  await scene.turn((await scene.jobTask(hand)).stream.record({ type: 'adjusted', options }));
  const brake = new Brake(hand.views, hand.queue, hand.blobs);
  return {
    scene,
    settle: async (chunk: number, failed: number, rejected = 0): Promise<void> => {
      const mark = { ...PART, lines: 10, failed, rejected, batches: [] };
      const name = settledName(scene.job, chunkIdOf(chunk));
      await scene.world.store.put(name, Buffer.from(JSON.stringify(mark)));
      await scene.turn(brake.check(scene.job));
    },
    intent: () => scene.jobState.intent,
    isPassed: () => scene.turn(brake.isPassed(scene.job)),
  };
}

describe('the brake', () => {
  it('holds the job when more lines have failed than its count allows', async () => {
    const { settle, intent, isPassed } = await braked({ kind: 'count', count: 3 });
    await settle(0, 2, 1);
    expect(intent().kind).toBe('run');
    await settle(1, 1);
    const message = '4 of 20 settled lines failed.';
    expect(intent()).toEqual({ kind: 'hold', revision: 1, code: 'max_errors', message });
    expect(await isPassed()).toBe(true);
  });

  it('holds the job when a larger share of the settled lines has failed', async () => {
    const { settle, intent } = await braked({ kind: 'share', share: 0.2 });
    await settle(0, 2);
    expect(intent().kind).toBe('run');
    await settle(1, 3);
    expect(intent().kind).toBe('hold');
  });

  it('holds a job once, and does not follow a cancel', async () => {
    const held = await braked({ kind: 'count', count: 0 });
    await held.settle(0, 1);
    await held.settle(1, 1);
    expect(held.intent().revision).toBe(1);
    const cancelled = await braked({ kind: 'count', count: 0 });
    const person = cancelled.scene.worker('person');
    await cancelled.scene.turn(person.jobs.cancel(cancelled.scene.job));
    await cancelled.settle(0, 5);
    expect(cancelled.intent().kind).toBe('cancel');
  });

  it('does nothing without a bound, or before anything is settled', async () => {
    const free = await braked(null);
    await free.settle(0, 10);
    expect(free.intent().kind).toBe('run');
    const bound = await braked({ kind: 'share', share: 0 });
    expect(await bound.isPassed()).toBe(false);
  });
});
