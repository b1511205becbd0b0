/** What a look at the provider takes for forgotten, lost or left over, and gives back. */

import { describe, expect, it } from 'vitest';

import type { ChunkState } from '../../src/domain/chunk.ts';
import { chunkIdOf } from '../../src/domain/ids.ts';
import type { ProviderBatch, ProviderFile } from '../../src/ports/batch-provider.ts';
import { giveBack } from '../../src/service/give-back.ts';
import { KnownBatches } from '../../src/service/known-batches.ts';
import { surveyProvider } from '../../src/service/provider-survey.ts';
import { uploadName } from '../../src/stages/names.ts';
import { submit } from '../../src/stages/submit.ts';
import type { Hand } from '../simulation/scene.ts';
import { Scene } from '../simulation/scene.ts';
import { expectFinished, PAIR } from '../simulation/uploaded-scene.ts';
import { batchOf, providerWith } from '../stages/support/provider.ts';

const HOUR_MS = 3_600_000;
const C0 = chunkIdOf(0);

/** A planned job that is as it was before its batch was made, and that batch. */
async function forgottenScene() {
  const scene = await Scene.open(PAIR);
  const hand = scene.worker('worker');
  await scene.jobUntil(hand, 'planned');
  const filename = uploadName('sim', scene.job, C0, 'nonce');
  const lines = PAIR.map((id) => `${JSON.stringify({ custom_id: id, model: 'model' })}\n`);
  const file = scene.world.model.upload(filename, Buffer.from(lines.join('')));
  const metadata = { installation: 'sim', job: scene.job, chunk: C0, attempt: '1' };
  const made = scene.world.model.create(file.id, metadata);
  return { scene, hand, file, made };
}

async function knownOf(scene: Scene, hand: Hand): Promise<KnownBatches> {
  const job = await scene.turn(hand.views.job(scene.job));
  return scene.turn(KnownBatches.of(job === null ? [] : [job], hand.views));
}

async function survey(
  hand: Hand,
  known: KnownBatches,
  batches: readonly ProviderBatch[],
  files: readonly ProviderFile[],
) {
  const provider = providerWith({
    listFiles: async () => ({ files: [...files], next: null }),
    listBatches: async () => ({ batches: [...batches], next: null }),
  });
  const request = { own: 'sim', installation: 'sim', minFileAgeMs: 0 };
  return surveyProvider(request, known, provider, hand.clock);
}

describe('a batch that a restored job has forgotten', () => {
  it('is given back, answers the chunk, and nothing is made in its place', async () => {
    const { scene, hand, file, made } = await forgottenScene();
    const { forgotten, unknown } = await survey(
      hand,
      await knownOf(scene, hand),
      [made],
      [{ ...file, createdAtMs: 1 }],
    );
    expect(unknown).toEqual([]);
    expect(forgotten).toMatchObject([{ job: scene.job, chunk: { id: C0 }, batchId: made.id }]);
    const [one] = forgotten;
    if (one === undefined) throw new Error('it is found');
    expect(await scene.turn(giveBack(one, hand.views))).toBe(true);
    expect(await scene.turn(giveBack(one, hand.views))).toBe(false);
    await scene.finish();
    expectFinished(scene, 1);
    expect([...scene.world.model.batches.keys()]).toEqual([made.id]);
    expect(scene.world.model.batches.get(made.id)?.cancelAsked).toBe(false);
  });

  it('comes before an upload that would be submitted', async () => {
    const { scene, hand, made } = await forgottenScene();
    await scene.chunkUntil(hand, 'uploaded');
    const stale = await scene.chunkTask(hand);
    const { chunk } = stale;
    const one = { job: scene.job, chunk, batchId: made.id, inputFileId: 'other', attempt: 1 };
    expect(await scene.turn(giveBack(one, hand.views))).toBe(true);
    expect(scene.chunk).toMatchObject({ status: 'waiting', strays: [{ spared: true }] });
    // Whoever was about to create has lost.
    await scene.turn(submit(stale, hand.tools));
    await scene.finish();
    expectFinished(scene, 1);
    expect(scene.world.model.batches.size).toBe(1);
  });

  it('is left to a chunk that looks for a batch over the same file by itself', async () => {
    const { scene, hand, made } = await forgottenScene();
    await scene.chunkUntil(hand, 'uploaded');
    const task = await scene.chunkTask(hand);
    await scene.turn(task.stream.decide({ type: 'submitting', attemptId: 'mine' }));
    const { fileId } = (scene.chunk as Extract<ChunkState, { status: 'submitting' }>).attempt
      .upload;
    const { chunk } = task;
    const one = { job: scene.job, chunk, batchId: made.id, inputFileId: fileId, attempt: 1 };
    expect(await scene.turn(giveBack(one, hand.views))).toBe(false);
    const known = await knownOf(scene, hand);
    expect(known.awaited.get(fileId)).toBe(scene.job);
    const awaited = { ...made, inputFileId: fileId };
    const found = await survey(hand, known, [awaited], []);
    expect([found.forgotten, found.unknown]).toEqual([[], []]);
  });

  it('is none where file and metadata name different owners', async () => {
    const { scene, hand, file, made } = await forgottenScene();
    const known = await knownOf(scene, hand);
    const other = { ...made, metadata: { ...made.metadata, chunk: chunkIdOf(1) } };
    expect((await survey(hand, known, [other], [file])).forgotten).toEqual([]);
    const foreign = { ...made, metadata: { ...made.metadata, installation: 'other' } };
    expect((await survey(hand, known, [foreign], [file])).forgotten).toEqual([]);
    const named = { ...file, filename: 'requests.jsonl' };
    expect((await survey(hand, known, [made], [named])).forgotten).toEqual([]);
    // Many servers drop metadata: the file's name is enough.
    const bare = { ...made, metadata: {} };
    expect((await survey(hand, known, [bare], [file])).forgotten).toHaveLength(1);
  });

  it('is nobody’s to take while its job cannot be read', async () => {
    const { scene, hand, file, made } = await forgottenScene();
    const known = new KnownBatches();
    known.unfinished.add(scene.job);
    known.unreadable.add(scene.job);
    const found = await survey(hand, known, [made], [file]);
    expect([found.forgotten, found.unknown]).toEqual([[], []]);
  });
});

describe('an upload without a batch', () => {
  it('is left over only where no unfinished job could need it', async () => {
    const { scene, hand } = await forgottenScene();
    await scene.wait(HOUR_MS);
    const fileOf = (job: typeof scene.job) => ({
      id: job,
      filename: uploadName('sim', job, C0, 'x'),
      sizeBytes: 1,
      createdAtMs: 1,
    });
    const lost = `job_${'1'.repeat(26)}` as typeof scene.job;
    const files = [fileOf(scene.job), fileOf(lost)];
    const whole = await survey(hand, await knownOf(scene, hand), [], files);
    expect(whole.orphans.map(({ id }) => id)).toEqual([lost]);
    const unread = new KnownBatches();
    unread.unfinished.add(scene.job);
    const damaged = await survey(hand, unread, [], files);
    expect(damaged.orphans.map(({ id }) => id)).toEqual([lost]);
    const used = await survey(hand, unread, [batchOf({ inputFileId: lost })], files);
    expect(used.orphans).toEqual([]);
  });
});
