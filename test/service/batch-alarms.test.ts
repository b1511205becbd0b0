import { describe, expect, it } from 'vitest';
import type { ChunkProgress } from '../../src/ports/live-board.ts';
import { BatchAlarms } from '../../src/service/batch-alarms.ts';
import { expiryOf } from '../../src/service/expiry.ts';
import { COLLECTED } from '../domain/support/samples.ts';
import { chunkIdOf } from '../../src/domain/ids.ts';
import type { Hand } from '../simulation/scene.ts';
import { Scene } from '../simulation/scene.ts';
import { watchedJob } from './support/watched.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** A chunk with a live batch, and the alarms of a process that looks at it. */
async function submitted() {
  const scene = await Scene.open(['a-ok', 'b-ok']);
  const hand = scene.worker('worker');
  await scene.jobUntil(hand, 'planned');
  await scene.chunkUntil(hand, 'submitted');
  const alarms = new BatchAlarms(hand.tools);
  const task = await scene.chunkTask(hand);
  return {
    scene,
    hand,
    look: (phase: string) => scene.turn(alarms.look(task, phase)),
    told: (code: string) => scene.world.notices.get(code) ?? 0,
  };
}

describe('a batch in one status', () => {
  const bounds: [string, number][] = [
    ['validating', HOUR_MS],
    ['finalizing', 2 * HOUR_MS],
    ['cancelling', 2 * HOUR_MS],
    ['in_progress', DAY_MS + HOUR_MS],
    ['awaiting_capacity', DAY_MS + HOUR_MS],
  ];
  it.each(bounds)('is told of where it is %s for more than %i ms', async (phase, boundMs) => {
    const { scene, look, told } = await submitted();
    await look(phase);
    await scene.wait(boundMs - MINUTE_MS);
    await look(phase);
    expect(told('batch_stuck')).toBe(0);
    await scene.wait(2 * MINUTE_MS);
    await look(phase);
    expect(told('batch_stuck')).toBe(1);
  });

  it('is told of again only after an hour', async () => {
    const { scene, look, told } = await submitted();
    await look('validating');
    await scene.wait(HOUR_MS + MINUTE_MS);
    await look('validating');
    await scene.wait(59 * MINUTE_MS);
    await look('validating');
    expect(told('batch_stuck')).toBe(1);
    await scene.wait(2 * MINUTE_MS);
    await look('validating');
    expect(told('batch_stuck')).toBe(2);
  });

  it('begins anew with each status, but all of them together have a bound too', async () => {
    const { scene, look, told } = await submitted();
    for (let halves = 0; halves < 2 * 28; halves += 1) {
      await look(halves % 2 === 0 ? 'validating' : 'in_progress');
      await scene.wait(30 * MINUTE_MS);
    }
    expect(told('batch_stuck')).toBe(0);
    await scene.wait(MINUTE_MS);
    await look('validating');
    expect(told('batch_stuck')).toBe(1);
  });
});

it('a stray that does not end is told of, though its chunk only waits', async () => {
  const scene = await Scene.open(['a-ok', 'b-ok']);
  const hand = scene.worker('worker');
  await scene.jobUntil(hand, 'planned');
  const stray = { batchId: 'batch_stuck', number: 1, spared: true };
  await scene.turn((await scene.chunkTask(hand)).stream.record({ type: 'stray_found', stray }));
  const alarms = new BatchAlarms(hand.tools);
  const look = async (): Promise<void> =>
    scene.turn(alarms.look(await scene.chunkTask(hand), 'waiting'));
  await look();
  await scene.wait(DAY_MS);
  await look();
  expect(scene.world.notices.get('batch_stuck')).toBeUndefined();
  await scene.wait(2 * HOUR_MS);
  await look();
  expect(scene.world.notices.get('batch_stuck')).toBe(1);
});

describe('answers at the provider', () => {
  async function expiry(hand: Hand, scene: Scene, days: number) {
    const { job, chunk, stream } = await scene.chunkTask(hand);
    const about = { job, chunk, state: stream.state };
    const nowMs = hand.clock.wallMs() + days * DAY_MS;
    return scene.turn(expiryOf(about, hand.journal, nowMs));
  }

  it('are told of three days before they are deleted, and from then on', async () => {
    const { scene, hand } = await submitted();
    expect(await expiry(hand, scene, 26.9)).toBeNull();
    expect((await expiry(hand, scene, 27.1))?.message).toMatch(/may delete them in 3 days/);
    expect((await expiry(hand, scene, 31))?.message).toMatch(/may delete them any moment/);
  });

  it('are counted from the sending, however late the batch was seen to have ended', async () => {
    const { scene, hand } = await submitted();
    await scene.wait(20 * DAY_MS);
    await scene.chunkUntil(hand, 'ended');
    expect(await expiry(hand, scene, 6.9)).toBeNull();
    expect(await expiry(hand, scene, 7.1)).toMatchObject({ code: 'output_expiring' });
  });

  it('are counted from their input file where others sent them, strays included', async () => {
    const scene = await Scene.open(['a-ok', 'b-ok']);
    const hand = scene.worker('worker');
    await scene.jobUntil(hand, 'planned');
    const createdAtMs = hand.clock.wallMs() - 20 * DAY_MS;
    const upload = { fileId: 'f', sha256: '', sizeBytes: 1, requests: 2, createdAtMs };
    await scene.turn(
      (await scene.chunkTask(hand)).stream.record({
        type: 'taken_over',
        attempt: { number: 1, attemptId: 'theirs', upload },
        batchId: 'batch_theirs',
        strays: [{ batchId: 'batch_again', number: 1, spared: true }],
        files: [],
      }),
    );
    expect(await expiry(hand, scene, 6.9)).toBeNull();
    expect((await expiry(hand, scene, 7.1))?.message).toContain('batch_theirs');
    const none = { outputFileId: null, errorFileId: null, counts: null, errors: [] };
    const batch = { batchId: 'batch_theirs', status: 'expired' as const, ...none };
    await scene.turn((await scene.chunkTask(hand)).stream.record({ type: 'ended', batch }));
    await scene.turn(
      (await scene.chunkTask(hand)).stream.record({
        type: 'collected',
        attempt: { ...COLLECTED, batchId: 'batch_theirs' },
        files: [],
        tally: { succeeded: 0, failed: 0, pending: 2 },
        burned: 'executed',
        next: { kind: 'again', pauseMs: 0, reason: '' },
      }),
    );
    expect((await expiry(hand, scene, 7.1))?.message).toContain('batch_again');
  });

  it('are no matter any more once they are collected', async () => {
    const { scene, hand } = await submitted();
    await scene.chunkUntil(hand, 'settled');
    expect(await expiry(hand, scene, 40)).toBeNull();
  });

  it('are told of by the sweep of a worker that is there', async () => {
    const { scene, worker, sweep, shown } = await watchedJob(undefined, {}, ['a-ok', 'b-ok']);
    await scene.chunkUntil(worker, 'submitted');
    await scene.wait(28 * DAY_MS);
    await sweep();
    expect(await shown()).toContain('output_expiring');
    await scene.chunkUntil(worker, 'settled');
    await sweep();
    expect(await shown()).not.toContain('output_expiring');
  });
});

describe('a paused job', () => {
  it('has its live batches polled and collected all the same', async () => {
    const scene = await Scene.open(['a-ok', 'b-ok', 'c-ok', 'd-ok'], { maxLiveBatches: 1 });
    const hand = scene.worker('worker');
    await scene.jobUntil(hand, 'planned');
    await scene.chunkUntil(hand, 'submitted');
    const task = await scene.jobTask(hand);
    const wish = { kind: 'hold', code: 'max_errors', message: 'too many' } as const;
    await scene.turn(task.stream.record({ type: 'wished', wish }));
    scene.world.start();
    const isSettled = (): boolean => scene.chunk.status === 'settled' || scene.isBroken;
    await scene.world.scheduler.run(scene.world.scheduler.nowMs + 48 * HOUR_MS, isSettled);
    expect(scene.chunk).toMatchObject({ status: 'settled', intent: { kind: 'hold' } });
    const shown: ChunkProgress | undefined = (await scene.world.board.progress(scene.job)).get(
      chunkIdOf(1),
    );
    expect(shown?.phase).toBe('held');
    await scene.wait(HOUR_MS);
    expect(scene.world.model.batches.size).toBe(1);
    expect(scene.world.notices.get('job_idle')).toBeUndefined();
  });
});
