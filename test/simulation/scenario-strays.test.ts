/** Strays whose finder did not get to stop them. */

import { describe, expect, it } from 'vitest';
import { abandon } from '../../src/stages/adopt.ts';
import { poll } from '../../src/stages/poll.ts';
import { submit } from '../../src/stages/submit.ts';
import { upload } from '../../src/stages/upload.ts';
import { Scene } from './scene.ts';
import { expectFinished, once, PAIR, uploadedScene } from './uploaded-scene.ts';

const MINUTE_MS = 60_000;

/** One POST made two batches, and each validates for long; the first is the attempt's. */
async function twinScene() {
  const { scene, first } = await uploadedScene();
  scene.rates = { twin: 1, stuck: 1 };
  await scene.turn(submit(await scene.chunkTask(first), first.tools));
  await scene.wait(MINUTE_MS);
  scene.rates = { twin: 0, stuck: 0 };
  const { chunk } = scene;
  if (chunk.status !== 'submitted') throw new Error('the chunk has a batch');
  const { batchId } = chunk;
  const twin = [...scene.world.model.batches.values()].find(({ id }) => id !== batchId);
  if (twin === undefined) throw new Error('one POST made two');
  return { scene, first, twin };
}

describe('a twin', () => {
  it('that was recorded by a process which died then is stopped by the next one', async () => {
    const { scene, twin } = await twinScene();
    const dying = scene.worker('dying', (process, label) => {
      if (label === 'cancelBatch') process.crash();
    });
    void poll(await scene.chunkTask(dying), dying.tools).catch(() => {});
    await scene.wait(MINUTE_MS);
    expect(scene.chunk.strays).toEqual([{ batchId: twin.id, number: 1 }]);
    expect(twin.cancelAsked).toBe(false);
    // No list helps its heir: only the record does.
    Object.assign(twin, { listedAtMs: Infinity });
    const heir = scene.worker('heir');
    await scene.turn(poll(await scene.chunkTask(heir), heir.tools));
    expect(twin.cancelAsked).toBe(true);
    await scene.finish();
    expectFinished(scene, scene.executed.length);
    expect(scene.count('stray_found')).toBe(1);
  });
});

describe('the batch of a create that others have given up', () => {
  it('is stopped at the next look where its own process could not', async () => {
    const { scene, first } = await uploadedScene();
    const frozen = scene.worker('frozen', (process, label) => {
      if (label === 'cancelBatch') process.crash();
    });
    const { provider } = frozen.tools;
    let release = (): void => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const createBatch: typeof provider.createBatch = async (input) => {
      const batch = await provider.createBatch(input);
      await held;
      return batch;
    };
    scene.rates = { stuck: 1 };
    const tools = { ...frozen.tools, provider: { ...provider, createBatch } };
    void submit(await scene.chunkTask(frozen), tools).catch(() => {});
    await scene.wait(5 * MINUTE_MS);
    scene.rates = { stuck: 0 };
    const [batch] = scene.world.model.batches.values();
    if (batch === undefined) throw new Error('the create made a batch');
    // No list shows it before its attempt is given up.
    Object.assign(batch, { listedAtMs: Infinity });
    await scene.chunkUntil(first, 'abandoning');
    await scene.turn(abandon(await scene.chunkTask(first), first.tools));
    release();
    await scene.wait(MINUTE_MS);
    expect(scene.chunk.strays).toMatchObject([{ batchId: batch.id }]);
    expect(batch.cancelAsked).toBe(false);
    await scene.finish();
    expect(batch.cancelAsked).toBe(true);
    expectFinished(scene, scene.executed.length);
  });
});

describe('a batch that an adopter set aside before it died', () => {
  it('is not taken for the attempt’s own when its create answers at last', async () => {
    const { scene, first } = await uploadedScene();
    scene.world.interfere = once('submitted', 'before');
    scene.rates = { twin: 1 };
    const lost = submit(await scene.chunkTask(first), first.tools);
    await expect(scene.turn(lost)).rejects.toThrow('EIO');
    scene.rates = { twin: 0 };
    const [one, two] = [...scene.world.model.batches.keys()];
    const { stream } = await scene.chunkTask(first);
    if (one === undefined || two === undefined) throw new Error('one POST made two');
    const { state } = stream;
    if (state.status !== 'submitting') throw new Error('the create is open');
    const { attemptId } = state.attempt;
    const stray = { batchId: one, number: 1 };
    await scene.turn(stream.record({ type: 'stray_found', stray }));
    const own = { type: 'submitted', attemptId, batchId: one, adopted: false } as const;
    expect(await scene.turn(stream.record(own))).toBe(false);
    await scene.chunkUntil(first, 'submitted');
    expect(scene.chunk).toMatchObject({ batchId: two, strays: [stray] });
    await scene.finish();
    expectFinished(scene, scene.executed.length);
    const collected = scene.chunk.collected.map(({ batchId }) => batchId);
    expect(collected.toSorted()).toEqual([one, two].toSorted());
  });
});

describe('a stray that comes up before the next create', () => {
  /** A batch answers all of the chunk's requests, and the chunk has not heard of it. */
  async function unheardScene() {
    const scene = await Scene.open(PAIR);
    const hand = scene.worker('worker');
    await scene.jobUntil(hand, 'planned');
    const lines = PAIR.map((id) => `${JSON.stringify({ custom_id: id, model: 'model' })}\n`);
    const file = scene.world.model.upload('early.jsonl', Buffer.from(lines.join('')));
    const { id: batchId } = scene.world.model.create(file.id, {});
    const hear = async (): Promise<boolean> => {
      const { stream } = await scene.chunkTaskNow(hand);
      return stream.record({ type: 'stray_found', stray: { batchId, number: 1, spared: true } });
    };
    const expectOneBatch = async (): Promise<void> => {
      expect(scene.chunk).toMatchObject({ status: 'waiting', strays: [{ batchId }] });
      await scene.finish();
      expectFinished(scene, 1);
      expect([...scene.world.model.batches.keys()]).toEqual([batchId]);
    };
    return { scene, hand, hear, expectOneBatch };
  }

  it('takes the place of an upload that is under way', async () => {
    const { scene, hand, hear, expectOneBatch } = await unheardScene();
    const { provider } = hand.tools;
    const uploadLate: typeof provider.upload = async (request) => {
      const file = await provider.upload(request);
      expect(await hear()).toBe(true);
      return file;
    };
    const tools = { ...hand.tools, provider: { ...provider, upload: uploadLate } };
    await scene.turn(upload(await scene.chunkTask(hand), tools));
    await expectOneBatch();
  });

  it('takes the place of what is uploaded', async () => {
    const { scene, hand, hear, expectOneBatch } = await unheardScene();
    await scene.chunkUntil(hand, 'uploaded');
    expect(await scene.turn(hear())).toBe(true);
    await expectOneBatch();
  });
});
