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

describe('an output that holds fewer answers than the provider counted', () => {
  const answer = (id: string): string => {
    const response = { status_code: 200, body: {} };
    return `${JSON.stringify({ id: `r-${id}`, custom_id: id, response, error: null })}\n`;
  };

  /** The second answer is there only from a time on, counted from the first fetch. */
  async function laggingScene(lagMs: number) {
    const stage = await chunkScene('ended', {
      download: async (_id, path) => {
        startedMs ??= stage.scene.world.scheduler.nowMs;
        const isWhole = stage.scene.world.scheduler.nowMs - startedMs >= lagMs;
        const bytes = Buffer.from(answer('a-ok') + (isWhole ? answer('b-ok') : ''));
        stage.scene.world.files.write(path, bytes);
        return { sizeBytes: bytes.length };
      },
    });
    let startedMs: number | null = null;
    const { scene } = stage;
    for (let fetches = 0; fetches < 20 && scene.chunk.status === 'ended'; fetches += 1) {
      const came = await stage.run(collect);
      if (came.kind === 'later') await scene.wait(came.delayMs);
    }
    return scene;
  }

  it('is fetched again for minutes, and nothing is sent again where the rest comes', async () => {
    const scene = await laggingScene(5 * 60_000);
    expect(scene.chunk).toMatchObject({ status: 'settling', tally: { succeeded: 2, pending: 0 } });
    expect(scene.world.notices.get('answers_incomplete')).toBeUndefined();
    expect(scene.chunk.files).toHaveLength(2);
  });

  it('is told of and stays at the provider where the rest does not come', async () => {
    const scene = await laggingScene(Infinity);
    expect(scene.chunk).toMatchObject({ status: 'waiting', tally: { succeeded: 1, pending: 1 } });
    expect(scene.world.notices.get('answers_incomplete')).toBe(1);
    // Only its input file is to be deleted.
    expect(scene.chunk.files).toHaveLength(1);
  });
});
