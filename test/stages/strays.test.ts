import { describe, expect, it } from 'vitest';
import type { JobSource } from '../../src/domain/job.ts';
import type { ProviderBatch } from '../../src/ports/batch-provider.ts';
import { Sightings } from '../../src/stages/sightings.ts';
import { poll } from '../../src/stages/poll.ts';
import { setAside } from '../../src/stages/strays.ts';
import type { Tools } from '../../src/stages/tools.ts';
import { chunkScene, refusal } from './support/chunk-scene.ts';
import { batchOf } from './support/provider.ts';

const STRAY = { batchId: 'batch_stray', number: 1 };

/** A chunk with a live batch; other batches live until a cancel of them gets through. */
async function strayScene(cancelFails = 0) {
  const calls: string[] = [];
  const ending = new Set<string>();
  const listed: ProviderBatch[] = [];
  let failures = cancelFails;
  const view = (id: string): ProviderBatch =>
    batchOf({ id, status: ending.has(id) ? 'cancelling' : 'in_progress' });
  const stage = await chunkScene('submitted', {
    listBatches: async () => ({ batches: listed, next: null }),
    retrieveBatch: async (id) => view(id),
    cancelBatch: async (id) => {
      calls.push(id);
      failures -= 1;
      if (failures >= 0) throw refusal(500);
      ending.add(id);
      return view(id);
    },
  });
  const { chunk } = stage.scene;
  if (chunk.status !== 'submitted') throw new Error('the chunk has a batch');
  const { batchId, attempt } = chunk;
  const { fileId } = attempt.upload;
  return { ...stage, calls, listed, batchId, fileId };
}

describe('a stray that is recorded', () => {
  it('is cancelled at the next look where its cancel failed, and then no more', async () => {
    const { run, calls, listed, fileId, scene } = await strayScene(1);
    listed.push(batchOf({ id: 'batch_twin', inputFileId: fileId }));
    expect(await run(poll)).toMatchObject({ kind: 'later', reason: 'in_progress' });
    expect(calls).toEqual(['batch_twin']);
    await run(poll);
    await run(poll);
    expect(calls).toEqual(['batch_twin', 'batch_twin']);
    expect(scene.chunk.strays).toEqual([{ batchId: 'batch_twin', number: 1 }]);
    expect(scene.world.notices.get('stray_batch')).toBe(1);
  });

  it('is cancelled by whoever comes after its finder, although no list shows it', async () => {
    const { run, record, process, calls } = await strayScene();
    await record({ type: 'stray_found', stray: STRAY });
    const heir = process();
    await run(poll, heir);
    await run(poll, heir);
    expect(calls).toEqual([STRAY.batchId]);
  });

  it('keeps nobody from watching the attempt’s own batch, however often it fails', async () => {
    const { run, record, calls } = await strayScene(Infinity);
    await record({ type: 'stray_found', stray: STRAY });
    for (let looks = 0; looks < 3; looks += 1) {
      expect(await run(poll)).toMatchObject({ kind: 'later', reason: 'in_progress' });
    }
    expect(calls).toHaveLength(3);
  });

  it('may run where it was not ours to make, until the job is cancelled', async () => {
    const { run, record, calls, cancel, batchId } = await strayScene();
    await record({ type: 'stray_found', stray: { ...STRAY, spared: true } });
    await run(poll);
    expect(calls).toEqual([]);
    await cancel();
    await run(poll);
    expect(calls.toSorted()).toEqual([batchId, STRAY.batchId].toSorted());
  });
});

describe('a second batch over one input file', () => {
  async function strayAfterPoll(fileIsTaken: boolean) {
    const { scene, hand, tools, fileId, listed } = await strayScene();
    listed.push(batchOf({ id: 'batch_twin', inputFileId: fileId }));
    const task = await scene.chunkTask(hand);
    const taken = { batchId: 'b', fileId: fileIsTaken ? fileId : 'file-0', fileCreatedAtMs: 0 };
    const kind = { kind: 'batches', keepsFiles: false, batches: [taken] } as const;
    const source: JobSource = { ...task.job.source, ...kind, encoding: 'identity', sha256: '' };
    await scene.turn(poll({ ...task, job: { ...task.job, source } }, tools));
    return scene.chunk.strays.map(({ batchId }) => batchId);
  }

  it('is left alone where the file came with an adopted batch', async () => {
    expect(await strayAfterPoll(true)).toEqual([]);
  });

  it('is a stray where an adopted job uploaded the file by itself', async () => {
    expect(await strayAfterPoll(false)).toEqual(['batch_twin']);
  });
});

describe('a twin of a batch that has ended before anybody looked', () => {
  const counts = { total: 2, completed: 0, failed: 0 };

  async function endedScene(listBatches?: Tools['provider']['listBatches']) {
    const { tools, fileId, listed, ...stage } = await strayScene();
    listed.push(batchOf({ id: 'batch_twin', inputFileId: fileId }));
    const retrieveBatch: Tools['provider']['retrieveBatch'] = async (id) =>
      id === 'batch_twin' ? batchOf({ id }) : batchOf({ id, status: 'expired', counts });
    const calls = listBatches === undefined ? { retrieveBatch } : { retrieveBatch, listBatches };
    const provider = { ...tools.provider, ...calls };
    const sightings = new Sightings(provider, tools.clock, 10);
    await stage.run(poll, { ...tools, provider, sightings });
    return stage.scene.chunk;
  }

  it('is recorded before the batch is', async () => {
    const { status, strays } = await endedScene();
    expect({ status, strays }).toEqual({
      status: 'ended',
      strays: [{ batchId: 'batch_twin', number: 1 }],
    });
  });

  it('keeps nothing from its end where the provider cannot list now', async () => {
    const { status } = await endedScene(() => Promise.reject(refusal(500)));
    expect(status).toBe('ended');
  });
});

describe('a batch that comes to light', () => {
  async function settledScene() {
    const cancels: string[] = [];
    const cancelBatch: Tools['provider']['cancelBatch'] = async (id) => {
      cancels.push(id);
      return batchOf({ id, status: 'cancelling' });
    };
    return { ...(await chunkScene('settled', { cancelBatch })), cancels };
  }

  it('after its chunk has settled is stopped, though it can be recorded no more', async () => {
    const { scene, hand, tools, cancels } = await settledScene();
    const task = await scene.chunkTask(hand);
    const late = batchOf({ id: 'batch_late' });
    expect(await scene.turn(setAside(task, late, 1, tools))).toBe(false);
    expect(cancels).toEqual(['batch_late']);
  });

  it('is left alone where its answers are collected', async () => {
    const { scene, hand, tools, cancels } = await settledScene();
    const task = await scene.chunkTask(hand);
    const [own] = scene.chunk.collected;
    await scene.turn(setAside(task, batchOf({ id: own?.batchId ?? '' }), 1, tools));
    expect(cancels).toEqual([]);
  });
});
