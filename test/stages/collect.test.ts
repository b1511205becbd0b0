import { describe, expect, it } from 'vitest';
import type { BatchProvider } from '../../src/ports/batch-provider.ts';
import { collect } from '../../src/stages/collect.ts';
import { chunkScene, refusal } from './support/chunk-scene.ts';

/** As many looks for a lost output as there are, and some more. */
const LOOKS = 24;

describe('an output that is gone together with its batch', () => {
  const gone = () => Promise.reject(refusal(404));

  async function goneScene(retrieveFile: BatchProvider['retrieveFile'], isCancelled = false) {
    const calls = { download: gone, retrieveBatch: gone, retrieveFile };
    const { scene, run, cancel } = await chunkScene('ended', calls);
    if (isCancelled) await cancel();
    const rejected: unknown[] = [];
    for (let looks = 0; looks < LOOKS && scene.chunk.status === 'ended'; looks += 1) {
      await run(collect).catch((error: unknown) => rejected.push(error));
      await scene.wait(3_600_000);
    }
    return { scene, rejected };
  }

  it('keeps no cancelled job from its end', async () => {
    const { scene, rejected } = await goneScene(async () => null, true);
    expect(scene.chunk).toMatchObject({ status: 'settling', close: { code: 'output_lost' } });
    expect(rejected).toEqual([]);
  });

  it('is lost where another file of the chunk is seen, and somebody is told', async () => {
    const seen: string[] = [];
    const { scene } = await goneScene(async (id) => {
      seen.push(id);
      return { id, filename: 'x', sizeBytes: 1, createdAtMs: 1 };
    });
    expect(scene.chunk).toMatchObject({ status: 'settling', close: { code: 'output_lost' } });
    expect(scene.world.notices.get('answers_incomplete')).toBe(1);
    expect(new Set(seen)).toEqual(new Set(scene.chunk.files.slice(0, 1)));
  });

  it('is not lost to a key that sees no file of the chunk at all', async () => {
    const { scene, rejected } = await goneScene(async () => null);
    expect(scene.chunk.status).toBe('ended');
    expect(rejected.at(-1)).toMatchObject({ kind: 'permanent', status: 404 });
  });
});
