import { describe, expect, it, test } from 'vitest';
import type { BatchProvider } from '../../src/ports/batch-provider.ts';
import { abandon, adopt } from '../../src/stages/adopt.ts';
import { chunkScene, refusal } from './support/chunk-scene.ts';

const DAY_MS = 24 * 3_600_000;

const FILE = { id: 'file', filename: 'x', sizeBytes: 1, createdAtMs: 1 };

/** A create without an answer, and no batch of it in any list. */
async function lostScene(calls: Partial<BatchProvider>) {
  const stage = await chunkScene('uploaded', calls);
  await stage.record({ type: 'submitting', attemptId: 'x' });
  return stage;
}

describe('a lost create whose input file is not there', () => {
  async function blindScene() {
    const stage = await lostScene({ retrieveFile: async () => null, deleteFile: async () => {} });
    const adoptFor = async (ms: number): Promise<void> => {
      const { scheduler } = stage.scene.world;
      const untilMs = scheduler.nowMs + ms;
      while (stage.scene.chunk.status === 'submitting' && scheduler.nowMs < untilMs) {
        await stage.run(adopt);
        await stage.scene.wait(10 * 60_000);
      }
    };
    return { ...stage, adoptFor };
  }

  it('keeps no cancelled job from its end', async () => {
    const { scene, cancel, run, adoptFor } = await blindScene();
    await cancel();
    await adoptFor(DAY_MS);
    await run(abandon);
    expect(scene.chunk).toMatchObject({ status: 'settling', close: { code: 'job_cancelled' } });
    expect(scene.world.notices.get('file_unseen')).toBeUndefined();
  });

  it('is given up only when the provider would have deleted the file by itself', async () => {
    const { scene, tools, run, adoptFor } = await blindScene();
    const expiryMs = tools.policy.uploadExpiresAfterSeconds * 1_000;
    await adoptFor(expiryMs / 2);
    expect(scene.chunk.status).toBe('submitting');
    expect(scene.world.notices.get('file_unseen')).toBeGreaterThan(0);
    await adoptFor(expiryMs);
    await run(abandon);
    expect(scene.chunk.status).toBe('waiting');
  });
});

describe('an input file that cannot be deleted', () => {
  const ways: [string, BatchProvider['deleteFile']][] = [
    ['the provider forbids it', () => Promise.reject(refusal(403))],
    ['nothing comes of it', async () => {}],
  ];

  async function stubbornScene(deleteFile: BatchProvider['deleteFile']) {
    const stage = await lostScene({ retrieveFile: async () => FILE, deleteFile });
    await stage.record({ type: 'abandoning', attemptId: 'x', account: 'own' });
    return stage;
  }

  test.each(ways)('keeps no cancelled job from its end where %s', async (_why, deleteFile) => {
    const { scene, cancel, run } = await stubbornScene(deleteFile);
    await cancel();
    expect(await run(abandon)).toEqual({ kind: 'moved' });
    expect(scene.chunk).toMatchObject({
      status: 'settling',
      // Remembered: a batch that turns up later is stopped all the same.
      abandoned: [{ attemptId: 'x' }],
    });
  });

  test.each(ways)('keeps a job from creating anew where %s', async (_why, deleteFile) => {
    const { scene, run } = await stubbornScene(deleteFile);
    const outcome = await run(abandon).catch((error: unknown) => error);
    expect(outcome).not.toEqual({ kind: 'moved' });
    expect(scene.chunk.status).toBe('abandoning');
  });

  it('is tried again in bad weather, cancelled or not', async () => {
    const { scene, cancel, run } = await stubbornScene(() => Promise.reject(refusal(500)));
    await cancel();
    await expect(run(abandon)).rejects.toMatchObject({ status: 500 });
    expect(scene.chunk.status).toBe('abandoning');
  });
});
