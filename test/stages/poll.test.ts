import { describe, expect, it, test } from 'vitest';
import { Weather } from '../../src/domain/errors.ts';
import type { ProviderBatch } from '../../src/ports/batch-provider.ts';
import { batchOf } from './support/provider.ts';
import { submittedScene } from './support/submitted-scene.ts';

const COUNTS = { total: 2, completed: 2, failed: 0 };

/** The status after so many looks, a minute apart, at a batch that always says the same. */
async function afterLooks(looks: number, said: Partial<ProviderBatch>) {
  const stage = await submittedScene({ retrieveBatch: async (id) => batchOf({ id, ...said }) });
  for (let count = 0; count < looks; count += 1) {
    await stage.look();
    await stage.scene.wait(60_000);
  }
  const { chunk, world } = stage.scene;
  return { status: chunk.status, alerts: world.notices.get('output_missing') ?? 0, chunk };
}

describe('a batch that says it is over', () => {
  const over: [string, Partial<ProviderBatch>][] = [
    ['completed with its output', { status: 'completed', outputFileId: 'out', counts: COUNTS }],
    [
      'completed with errors only, as its counts say',
      {
        status: 'completed',
        errorFileId: 'err',
        counts: { total: 2, completed: 0, failed: 2 },
      },
    ],
    ['expired before it did anything', { status: 'expired', counts: { ...COUNTS, completed: 0 } }],
    [
      'cancelled before it did anything',
      { status: 'cancelled', counts: { ...COUNTS, completed: 0 } },
    ],
    [
      'expired with a part of its output',
      { status: 'expired', outputFileId: 'out', counts: COUNTS },
    ],
    ['failed', { status: 'failed', errors: [] }],
  ];
  test.each(over)('is taken at its word where it is %s', async (_what, said) => {
    expect((await afterLooks(1, said)).status).toBe('ended');
  });

  const early: [string, Partial<ProviderBatch>][] = [
    ['completed without any file or count', { status: 'completed' }],
    [
      'completed with counts that are still zero',
      { status: 'completed', counts: { total: 0, completed: 0, failed: 0 } },
    ],
    ['completed with successes and no output', { status: 'completed', counts: COUNTS }],
    [
      'completed with successes and errors only',
      { status: 'completed', counts: COUNTS, errorFileId: 'err' },
    ],
    ['expired with successes and no output', { status: 'expired', counts: COUNTS }],
    ['cancelled with successes and no output', { status: 'cancelled', counts: COUNTS }],
  ];
  test.each(early)('is looked at again where it is %s', async (_what, said) => {
    expect(await afterLooks(9, said)).toMatchObject({ status: 'submitted', alerts: 0 });
  });

  it('is worth one alert where paid answers have no file for long', async () => {
    const said = { status: 'completed', counts: COUNTS };
    expect((await afterLooks(10, said)).alerts).toBe(0);
    expect(await afterLooks(20, said)).toMatchObject({ status: 'submitted', alerts: 1 });
  });

  it('is worth another alert while it lasts, and is over only for a cancelled job', async () => {
    const zeros = { total: 0, completed: 0, failed: 0 };
    const said = { status: 'completed', counts: zeros };
    const { look, scene, hand } = await submittedScene({
      retrieveBatch: async (id) => batchOf({ id, ...said }),
    });
    for (let looks = 0; looks < 60; looks += 1) {
      await look();
      await scene.wait(21_000);
    }
    expect(scene.chunk.status).toBe('submitted');
    expect(scene.world.notices.get('output_missing')).toBe(2);
    const intent = { kind: 'cancel', revision: 1 } as const;
    await scene.turn((await scene.chunkTask(hand)).stream.record({ type: 'intended', intent }));
    await look();
    expect(scene.chunk.status).toBe('ended');
  });

  it('may still name its files in the first minutes after a cancel', async () => {
    const { look, scene, hand } = await submittedScene({
      retrieveBatch: async (id) => batchOf({ id, status: 'completed', counts: COUNTS }),
    });
    const intent = { kind: 'cancel', revision: 1 } as const;
    await scene.turn((await scene.chunkTask(hand)).stream.record({ type: 'intended', intent }));
    for (let looks = 0; looks < 40; looks += 1) await look();
    expect(scene.chunk.status).toBe('submitted');
  });

  it('is waited for though it failed, where it had answered something: not for ever', async () => {
    const said = { status: 'failed', counts: { total: 2, completed: 1, failed: 0 } };
    expect((await afterLooks(12, said)).status).toBe('submitted');
    const stage = await submittedScene({ retrieveBatch: async (id) => batchOf({ id, ...said }) });
    for (let looks = 0; looks < 31; looks += 1) {
      await stage.look();
      await stage.scene.wait(21_000);
    }
    expect(stage.scene.chunk.status).toBe('ended');
    expect(stage.scene.world.notices.get('output_missing')).toBe(1);
    const files = { ...said, outputFileId: 'out' };
    expect((await afterLooks(1, files)).status).toBe('ended');
  });

  it('is waited for where it has errors only and no counts: the output may come last', async () => {
    const zeros = { total: 0, completed: 0, failed: 0 };
    for (const counts of [null, zeros]) {
      const said = { status: 'completed', errorFileId: 'err', counts };
      expect((await afterLooks(4, said)).status).toBe('submitted');
      expect((await afterLooks(5, said)).status).toBe('ended');
    }
  });

  it('does not wait for ever for an error file: nothing in it is paid', async () => {
    const said = {
      status: 'completed',
      outputFileId: 'out',
      counts: { total: 2, completed: 1, failed: 1 },
    };
    expect((await afterLooks(4, said)).status).toBe('submitted');
    expect((await afterLooks(5, said)).status).toBe('ended');
  });

  it('says why it failed, in words of a bounded length', async () => {
    const errors = [{ code: 'invalid_url', message: 'x'.repeat(9_000), line: 2, param: null }];
    const { chunk } = await afterLooks(1, { status: 'failed', errors });
    const kept = { code: 'invalid_url', line: 2, message: 'x'.repeat(500) };
    expect(chunk).toMatchObject({ batch: { errors: [kept] } });
  });
});

test.each(['validating', 'in_progress', 'finalizing', 'cancelling', 'resting', 'COMPLETED'])(
  'a batch that is %s is not over',
  async (status) => {
    const said = { status, outputFileId: 'out', counts: COUNTS };
    expect((await afterLooks(3, said)).status).toBe('submitted');
  },
);

describe('a batch that is not found', () => {
  it('is looked for again, and worth an alert after ten minutes', async () => {
    const { scene, look } = await submittedScene({
      retrieveBatch: async () => {
        throw new Weather({
          kind: 'permanent',
          status: 404,
          code: null,
          message: 'no',
          retryAfterMs: null,
        });
      },
    });
    expect(await look()).toMatchObject({ kind: 'later' });
    await scene.wait(9 * 60_000);
    await look();
    expect(scene.world.notices.get('batch_missing')).toBeUndefined();
    await scene.wait(2 * 60_000);
    await look();
    expect(scene.world.notices.get('batch_missing')).toBe(1);
    expect(scene.chunk.status).toBe('submitted');
  });
});

describe('a batch whose create was delivered twice', () => {
  async function twinScene(listBatches: (inputFileId: string) => ProviderBatch[]) {
    const calls: string[] = [];
    let inputFileId = '';
    const stage = await submittedScene({
      retrieveBatch: async (id) => batchOf({ id, inputFileId }),
      listBatches: async () => {
        calls.push('list');
        return { batches: listBatches(inputFileId), next: null };
      },
      cancelBatch: async (id) => {
        calls.push(`cancel ${id}`);
        return batchOf({ id, status: 'cancelling' });
      },
    });
    const { chunk } = stage.scene;
    if (chunk.status === 'submitted') inputFileId = chunk.attempt.upload.fileId;
    return { ...stage, calls };
  }

  it('has its twin cancelled and recorded as a stray, once', async () => {
    const { look, calls, scene } = await twinScene((inputFileId) => [
      batchOf({ id: 'batch_twin', inputFileId, status: 'validating' }),
      batchOf({ id: 'batch_other', inputFileId: 'file-other' }),
    ]);
    expect(await look()).toMatchObject({ kind: 'later' });
    await look();
    expect(calls).toEqual(['list', 'cancel batch_twin']);
    expect(scene.chunk.status).toBe('submitted');
    expect(scene.chunk.strays).toEqual([{ batchId: 'batch_twin', number: 1 }]);
    expect(scene.world.notices.get('stray_batch')).toBe(1);
  });

  it('is watched on where the provider refuses lists', async () => {
    const { look, calls } = await twinScene(() => {
      const refused = { kind: 'permanent', status: 404, code: null, retryAfterMs: null } as const;
      throw new Weather({ ...refused, message: 'no lists here' });
    });
    expect(await look()).toMatchObject({ kind: 'later', reason: 'in_progress' });
    await look();
    expect(calls).toEqual(['list']);
  });
});

describe('a cancelled chunk', () => {
  async function cancelledScene(status: string, refusal: Weather | null = null) {
    const cancels: string[] = [];
    const stage = await submittedScene({
      retrieveBatch: async (id) => batchOf({ id, status }),
      cancelBatch: async (id) => {
        cancels.push(id);
        if (refusal !== null) throw refusal;
        return batchOf({ id, status: 'cancelling' });
      },
    });
    const task = await stage.scene.chunkTask(stage.hand);
    const intent = { kind: 'cancel', revision: 1 } as const;
    await stage.scene.turn(task.stream.record({ type: 'intended', intent }));
    return { ...stage, cancels };
  }

  it('has its batch cancelled, and watched until it has ended', async () => {
    const { look, cancels, scene } = await cancelledScene('in_progress');
    expect(await look()).toMatchObject({ kind: 'later' });
    expect(cancels).toHaveLength(1);
    expect(scene.chunk.status).toBe('submitted');
  });

  it('does not ask again for what is being cancelled', async () => {
    const { look, cancels } = await cancelledScene('cancelling');
    await look();
    expect(cancels).toEqual([]);
  });

  it('takes a refusal as a sign that the batch ends by itself', async () => {
    const refusal = new Weather({
      kind: 'permanent',
      status: 409,
      code: null,
      message: 'Cannot cancel',
      retryAfterMs: null,
    });
    const { look, cancels } = await cancelledScene('finalizing', refusal);
    expect(await look()).toMatchObject({ kind: 'later' });
    expect(cancels).toHaveLength(1);
  });
});
