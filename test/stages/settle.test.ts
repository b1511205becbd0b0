import { describe, expect, it } from 'vitest';
import { collectStrays, settle } from '../../src/stages/settle.ts';
import { chunkScene, refusal } from './support/chunk-scene.ts';
import { batchOf } from './support/provider.ts';

const MINUTE_MS = 60_000;

describe('a stray that the provider has forgotten', () => {
  async function forgottenScene(status: 'waiting' | 'submitted') {
    const stage = await chunkScene(status, {
      retrieveBatch: () => Promise.reject(refusal(404)),
    });
    await stage.record({ type: 'stray_found', stray: { batchId: 'batch_gone', number: 1 } });
    const looks = async (count: number): Promise<void> => {
      for (let look = 0; look < count; look += 1) {
        await stage.run(collectStrays);
        await stage.scene.wait(3 * MINUTE_MS);
      }
    };
    return { ...stage, looks };
  }

  it('is waited for ten minutes, and no longer where everything is answered', async () => {
    const { scene, hand, run, looks } = await forgottenScene('submitted');
    await scene.chunkUntil(hand, 'settling');
    expect(scene.chunk.tally.pending).toBe(0);
    await looks(4);
    expect(scene.chunk.strays).toHaveLength(1);
    await looks(1);
    expect(scene.chunk.strays).toEqual([]);
    expect(scene.chunk.collected.at(-1)).toMatchObject({
      batchId: 'batch_gone',
      hasOutput: false,
      hasErrors: false,
      errors: [],
      stray: true,
    });
    await run(settle);
    expect(scene.chunk).toMatchObject({ status: 'settled', part: { succeeded: 2 } });
  });

  it('is waited for where its answers may be the only ones', async () => {
    const { scene, looks, cancel, run } = await forgottenScene('waiting');
    await looks(20);
    expect(scene.chunk).toMatchObject({ status: 'waiting', strays: [{ batchId: 'batch_gone' }] });
    expect(scene.world.notices.get('batch_missing')).toBeGreaterThan(0);
    await cancel();
    await looks(1);
    await run(settle);
    expect(scene.chunk).toMatchObject({ status: 'settled', part: { failed: 2 } });
  });
});

describe('a stray whose output is lost', () => {
  it('is not bought again: what it may have answered gets error lines', async () => {
    const gone = () => Promise.reject(refusal(404));
    const { scene, run, record } = await chunkScene('waiting', {
      retrieveBatch: async (id) =>
        batchOf({
          id,
          status: 'completed',
          outputFileId: 'file-lost',
          counts: { total: 2, completed: 2, failed: 0 },
        }),
      download: gone,
    });
    await record({
      type: 'stray_found',
      stray: { batchId: 'batch_paid', number: 1, spared: true },
    });
    for (let looks = 0; looks < 40 && scene.chunk.status === 'waiting'; looks += 1) {
      await run(collectStrays);
      await scene.wait(3 * MINUTE_MS);
    }
    expect(scene.chunk).toMatchObject({ status: 'settling', close: { code: 'output_lost' } });
    expect(scene.count('uploaded')).toBe(0);
    await run(settle);
    expect(scene.chunk).toMatchObject({ status: 'settled', part: { failed: 2 } });
  });
});

describe('a stray that lives on', () => {
  it('is looked at less and less often', async () => {
    const { scene, run, record } = await chunkScene('waiting', {
      retrieveBatch: async (id) => batchOf({ id }),
    });
    await record({ type: 'stray_found', stray: { batchId: 'batch_on', number: 1, spared: true } });
    const pauses: number[] = [];
    for (let looks = 0; looks < 90; looks += 1) {
      const came = await run(collectStrays);
      if (came.kind !== 'later') throw new Error('the stray lives');
      pauses.push(came.delayMs);
      await scene.wait(came.delayMs);
    }
    expect(pauses.at(-1)).toBeGreaterThan(3 * (pauses[0] ?? 0));
  });
});
