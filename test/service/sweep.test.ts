import { describe, expect, it, vi } from 'vitest';
import { chunkIdOf } from '../../src/domain/ids.ts';
import type { Tools } from '../../src/stages/tools.ts';
import type { Watched } from './support/watched.ts';
import { watchedJob } from './support/watched.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** Chunks for which one sweep rings. */
async function rungBy({ scene, sweep }: Watched): Promise<string[]> {
  const ring = vi.spyOn(scene.world.queue, 'ring');
  const wake = vi.spyOn(scene.world.queue, 'wake');
  await sweep();
  const bells = [...ring.mock.calls, ...wake.mock.calls].map(([bell]) => bell);
  ring.mockRestore();
  wake.mockRestore();
  return bells.flatMap(({ chunk }) => chunk ?? []).toSorted();
}

describe('the sweep', () => {
  it('rings for one that waits though another pauses that stands before it', async () => {
    const watched = await watchedJob(undefined, { maxLiveBatches: 1 });
    const { scene, worker } = watched;
    await scene.chunkUntil(worker, 'uploaded');
    const task = await scene.chunkTask(worker);
    if (task.stream.state.status !== 'uploaded') throw new Error('the chunk is uploaded');
    const { fileId } = task.stream.state.attempt.upload;
    const lost = { type: 'file_lost', fileId, pauseMs: 4 * DAY_MS, reason: '' } as const;
    await scene.turn(task.stream.record(lost));
    expect(await rungBy(watched)).toEqual([chunkIdOf(0), chunkIdOf(1)]);
    await scene.wait(4 * DAY_MS);
    // It does not pause any more, and there is one slot.
    expect(await rungBy(watched)).toHaveLength(1);
  });

  it('rings for a stray and for one that waits, though there is only one slot', async () => {
    const watched = await watchedJob(undefined, { maxLiveBatches: 1 });
    const task = await watched.scene.chunkTask(watched.worker);
    const stray = { batchId: 'batch_forgotten', number: 1, spared: true };
    await watched.scene.turn(task.stream.record({ type: 'stray_found', stray }));
    expect(await rungBy(watched)).toEqual([chunkIdOf(0), chunkIdOf(1)]);
  });

  it('calls no board ready that could not be told of a live batch', async () => {
    let isBroken = true;
    const broken = ({ board }: Tools) => ({
      board: new Proxy(board, {
        get: (target, key) =>
          key === 'restoreSlot' && isBroken
            ? () => Promise.reject(new Error('full'))
            : Reflect.get(target, key),
      }),
    });
    const { scene, worker, sweep } = await watchedJob(broken, {}, ['a-ok', 'b-ok']);
    await scene.chunkUntil(worker, 'submitted');
    scene.world.board.forget();
    await expect(sweep()).rejects.toThrow('full');
    expect(await scene.world.board.isReady()).toBe(false);
    isBroken = false;
    await sweep();
    expect(await scene.world.board.isReady()).toBe(true);
  });

  it.each([
    ['five minutes', { pinnedMs: null, minMs: 5_000, maxMs: 5 * MINUTE_MS }, [3, 6]],
    ['an hour', { pinnedMs: 60 * MINUTE_MS, minMs: 5_000, maxMs: 5 * MINUTE_MS }, [14]],
  ])(
    'wakes a bell a minute after the longest sleep of %s, whatever the wall clock says',
    async (_, poll, woken) => {
      const withPoll = ({ policy }: Tools) => ({ policy: { ...policy, poll } });
      const { scene, sweep } = await watchedJob(withPoll, {}, ['a-ok', 'b-ok']);
      const wake = vi.spyOn(scene.world.queue, 'wake');
      const sweeps: number[] = [];
      for (let count = 1; count <= 15 && sweeps.length < woken.length; count += 1) {
        if (count === 2) scene.world.wallOffsetMs -= DAY_MS;
        const before = wake.mock.calls.length;
        await sweep();
        if (wake.mock.calls.length > before) sweeps.push(count);
      }
      expect(sweeps).toEqual(woken);
    },
  );
});
