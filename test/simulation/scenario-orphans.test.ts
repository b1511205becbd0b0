/** What lies at the provider although no event names it: files, batches, and what a key sees. */

import { describe, expect, it } from 'vitest';
import { Weather } from '../../src/domain/errors.ts';
import { sweepOrphans } from '../../src/stages/orphans.ts';
import { abandon, adopt } from '../../src/stages/adopt.ts';
import { settle } from '../../src/stages/settle.ts';
import { submit } from '../../src/stages/submit.ts';
import type { Tools } from '../../src/stages/tools.ts';
import { upload } from '../../src/stages/upload.ts';
import { batchOf } from '../stages/support/provider.ts';
import type { Hand } from './scene.ts';
import { Scene } from './scene.ts';
import { PAIR, expectFinished, once, uploadedScene } from './uploaded-scene.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

describe('a file without a batch', () => {
  it('is deleted while its job still runs, and its chunk is uploaded again', async () => {
    const { scene, first } = await plannedScene();
    scene.world.interfere = once('uploaded', 'before');
    const task = await scene.chunkTask(first);
    await expect(scene.turn(upload(task, first.tools))).rejects.toThrow('EIO');
    await scene.chunkUntil(first, 'submitted');
    const [orphan, used] = [...scene.world.model.files.values()];
    const deleted = () => [orphan?.deletedAtMs !== null, used?.deletedAtMs !== null];
    for (let round = 0; round < 3; round += 1) {
      expect(deleted()).toEqual([false, false]);
      await scene.turn(sweepOrphans(first.tools));
      await scene.wait(HOUR_MS + 1);
    }
    expect(deleted()).toEqual([true, false]);
    await scene.finish();
    expectFinished(scene, 1);
  });

  it('stays where a batch runs over it, and where the job is not here at all', async () => {
    const { scene, first } = await uploadedScene();
    const { model } = scene.world;
    const bytes = Buffer.from('{"custom_id":"a-ok"}\n');
    const paid = model.upload(`bw-sim-${scene.job}-c000000-x.jsonl`, bytes);
    model.create(paid.id, {});
    const lost = model.upload(`bw-sim-job_${'1'.repeat(26)}-c000000-x.jsonl`, bytes);
    const left = model.upload(`bw-sim-${scene.job}-c000000-y.jsonl`, bytes);
    for (let round = 0; round < 4; round += 1) {
      await scene.turn(sweepOrphans(first.tools));
      await scene.wait(HOUR_MS + 1);
    }
    const isDeleted = ({ id }: { id: string }) => model.files.get(id)?.deletedAtMs !== null;
    expect([paid, lost, left].map(isDeleted)).toEqual([false, false, true]);
  });

  it('stays where no complete list says which files batches use', async () => {
    const { scene, first } = await uploadedScene();
    const { model } = scene.world;
    const left = model.upload(`bw-sim-${scene.job}-c000000-y.jsonl`, Buffer.from('{}\n'));
    const lists: Tools['provider']['listBatches'][] = [
      () => Promise.reject(unreachable()),
      async () => ({ batches: [], next: 'and so on' }),
      async () => ({ batches: [batchOf({ inputFileId: null })], next: null }),
    ];
    for (const listBatches of lists) {
      const provider = { ...first.tools.provider, listBatches };
      for (let round = 0; round < 3; round += 1) {
        await scene.turn(sweepOrphans({ ...first.tools, provider }));
        await scene.wait(HOUR_MS + 1);
      }
    }
    expect(model.files.get(left.id)?.deletedAtMs).toBeNull();
  });

  it('stays where another installation uploaded it, and where the weather is bad', async () => {
    const { scene, first } = await uploadedScene();
    const foreign = scene.world.model.upload('bw-other-file.jsonl', Buffer.from('{}\n'));
    let calls = 0;
    const listFiles: Tools['provider']['listFiles'] = (after) => {
      calls += 1;
      if (calls > 1) return first.tools.provider.listFiles(after);
      return Promise.reject(unreachable());
    };
    const tools = { ...first.tools, provider: { ...first.tools.provider, listFiles } };
    for (let round = 0; round < 5; round += 1) {
      await scene.turn(sweepOrphans(tools));
      await scene.wait(HOUR_MS + 1);
    }
    expect(calls).toBeGreaterThan(3);
    expect(scene.world.model.files.get(foreign.id)?.deletedAtMs).toBeNull();
  });
});

describe('a batch without an attempt', () => {
  it('that shows only when the job is cleaned is stopped, too late to be used', async () => {
    const { scene, first, hidden } = await lostCreate();
    scene.rates = { stuck: 1 };
    await scene.wait(3 * MINUTE_MS);
    scene.rates = { stuck: 0 };
    hidden.listedAtMs = Number.MAX_SAFE_INTEGER;
    await scene.chunkUntil(first, 'settled');
    await scene.jobUntil(first, 'merged');
    expect([hidden.status, hidden.cancelAsked]).toEqual(['in_progress', false]);
    hidden.listedAtMs = 0;
    await scene.jobUntil(first, 'done');
    expect(hidden.cancelAsked).toBe(true);
    expectFinished(scene, scene.executed.length);
  });

  it('that shows when its attempt is about to be given up is adopted', async () => {
    const { scene, first, hidden } = await lostCreate();
    await scene.chunkUntil(first, 'abandoning');
    // It runs already, so that the deletion of its input file does not end it.
    await scene.wait(5 * MINUTE_MS);
    hidden.listedAtMs = 0;
    await scene.turn(abandon(await scene.chunkTask(first), first.tools));
    expect(scene.chunk).toMatchObject({ status: 'submitted', batchId: hidden.id });
    await scene.finish();
    expectFinished(scene, 1);
    expect(scene.world.model.batches.size).toBe(1);
  });

  it('that two settlers find at once is recorded by one, and stops neither', async () => {
    for (let seed = 1; seed <= 6; seed += 1) {
      const { scene, first, hidden } = await lostCreate(seed);
      hidden.listedAtMs = Number.MAX_SAFE_INTEGER;
      await scene.chunkUntil(first, 'settling');
      hidden.listedAtMs = 0;
      const hands = [first, scene.worker('second')];
      const tasks = [];
      for (const hand of hands) tasks.push(await scene.chunkTask(hand));
      const settlers = tasks.map((task, at) => settle(task, (hands[at] ?? first).tools));
      await scene.turn(Promise.all(settlers));
      expect(scene.count('stray_found')).toBe(1);
      expect(scene.chunk).toMatchObject({ status: 'settling', strays: [{ number: 1 }] });
    }
  });

  it('that names another create of the same file is used, and told', async () => {
    const { scene, first } = await uploadedScene();
    const { provider } = first.tools;
    const outcomes = ['made', 'nothing'];
    const createBatch: Tools['provider']['createBatch'] = async (input) => {
      if (outcomes.shift() === 'nothing') throw unreachable('unknown');
      await provider.createBatch(input);
      // The provider says that it made none, and did.
      throw unreachable('transient');
    };
    const tools = { ...first.tools, provider: { ...provider, createBatch } };
    await scene.turn(submit(await scene.chunkTask(first), tools));
    expect(scene.chunk.status).toBe('uploaded');
    await scene.turn(submit(await scene.chunkTask(first), tools));
    expect(scene.chunk.status).toBe('submitting');
    await scene.chunkUntil(first, 'submitted');
    expect(scene.world.notices.get('batch_of_another_create')).toBe(1);
    await scene.finish();
    expectFinished(scene, 1);
    expect(scene.world.model.batches.size).toBe(1);
  });

  it('is stopped where two that looked saw different lists', async () => {
    const { scene, first } = await uploadedScene();
    scene.rates = { twin: 1 };
    scene.world.interfere = once('submitted', 'before');
    const lost = submit(await scene.chunkTask(first), first.tools);
    await expect(scene.turn(lost)).rejects.toThrow('EIO');
    scene.rates = { twin: 0 };
    const [older, younger] = [...scene.world.model.batches.values()];
    if (older === undefined || younger === undefined) throw new Error('one POST made two');
    Object.assign(older, { createdAtMs: older.createdAtMs - 5_000, listedAtMs: Infinity });
    const [slow, quick] = [scene.worker('slow'), scene.worker('quick')];
    const stale = await scene.chunkTask(slow);
    await scene.chunkUntil(quick, 'submitted');
    expect(scene.chunk).toMatchObject({ batchId: younger.id, strays: [] });
    Object.assign(older, { listedAtMs: 0 });
    await scene.turn(adopt(stale, slow.tools));
    expect(scene.chunk).toMatchObject({
      status: 'submitted',
      batchId: younger.id,
      strays: [{ batchId: older.id }],
    });
    expect([older.cancelAsked, younger.cancelAsked]).toEqual([true, false]);
    expect(scene.world.notices.get('batch_adopted')).toBe(1);
    await scene.finish();
    expectFinished(scene, scene.executed.length);
  });
});

describe('a key of another project', () => {
  it('takes no file for gone that it never saw', async () => {
    const { scene, first } = await lostCreate();
    await scene.chunkUntil(first, 'abandoning');
    const stranger = blindTools(scene.worker('stranger'));
    const look = async () => scene.turn(abandon(await scene.chunkTask(first), stranger));
    expect(await look()).toMatchObject({ kind: 'later' });
    expect(scene.chunk.status).toBe('abandoning');
    expect(scene.world.notices.get('file_unseen')).toBe(1);
    // Whoever sees it goes on, although the stranger asked for its deletion.
    await scene.chunkUntil(first, 'waiting');
    expect(scene.count('abandoned')).toBe(1);
  });

  it('keeps no job from being cancelled', async () => {
    const { scene, first } = await lostCreate();
    await scene.chunkUntil(first, 'abandoning');
    const task = await scene.chunkTask(first);
    const intent = { kind: 'cancel', revision: 1 } as const;
    await scene.turn(task.stream.record({ type: 'intended', intent }));
    const stranger = blindTools(scene.worker('stranger'));
    // The file goes in truth, so that nothing can come of the old create.
    await scene.turn(first.tools.provider.deleteFile(fileOf(scene)));
    await scene.turn(abandon(task, stranger));
    expect(scene.chunk.status).toBe('settling');
  });

  it('is no other where its process died between the deletion and its event', async () => {
    const { scene, first, hidden } = await lostCreate();
    hidden.listedAtMs = Number.MAX_SAFE_INTEGER;
    await scene.chunkUntil(first, 'abandoning');
    scene.world.interfere = once('abandoned', 'before');
    const dying = abandon(await scene.chunkTask(first), first.tools);
    await expect(scene.turn(dying)).rejects.toThrow('EIO');
    const { tools } = scene.worker('heir');
    const look = async (account: string) =>
      scene.turn(abandon(await scene.chunkTask(first), { ...tools, account }));
    // With the only file of the job gone, nothing proves to a new key that it sees the same
    // project, until the provider would have deleted the file by itself.
    expect(await look('rotated')).toMatchObject({ kind: 'later' });
    expect(await look('own')).toMatchObject({ kind: 'moved' });
    expect(scene.chunk.status).toBe('waiting');
  });

  it('goes on when the provider would have deleted the file by itself', async () => {
    const { scene, first, hidden } = await lostCreate();
    hidden.listedAtMs = Number.MAX_SAFE_INTEGER;
    await scene.chunkUntil(first, 'abandoning');
    const stranger = blindTools(scene.worker('stranger'));
    const look = async () => scene.turn(abandon(await scene.chunkTask(first), stranger));
    expect(await look()).toMatchObject({ kind: 'later' });
    await scene.wait(stranger.policy.uploadExpiresAfterSeconds * 1_000 + 1);
    await look();
    expect(scene.chunk.status).toBe('waiting');
  });

  it('is the same key where it sees an older file of the job', async () => {
    const { scene, first } = await lostCreate();
    await scene.chunkUntil(first, 'abandoning');
    await scene.turn(first.tools.provider.deleteFile(fileOf(scene)));
    const older = scene.world.model.upload(`bw-sim-${scene.job}-c000001-x`, Buffer.from('{}\n'));
    Object.assign(scene.world.model.files.get(older.id) ?? {}, { createdAtMs: 0 });
    const rotated = { ...scene.worker('heir').tools, account: 'rotated' };
    await scene.turn(abandon(await scene.chunkTask(first), rotated));
    expect(scene.chunk.status).toBe('waiting');
  });
});

async function plannedScene() {
  const scene = await Scene.open(['a-ok', 'b-ok']);
  const first = scene.worker('first');
  await scene.jobUntil(first, 'planned');
  return { scene, first };
}

/** The only batch exists, its event does not, and no list shows it for the next ten minutes. */
async function lostCreate(seed = 1) {
  const { scene, first } = await uploadedScene(PAIR, seed);
  scene.world.interfere = once('submitted', 'before');
  const lost = submit(await scene.chunkTask(first), first.tools);
  await expect(scene.turn(lost)).rejects.toThrow('EIO');
  const [batch] = scene.world.model.batches.values();
  if (batch === undefined) throw new Error('the create made a batch');
  const hidden = batch as { -readonly [Key in keyof typeof batch]: (typeof batch)[Key] };
  hidden.listedAtMs = scene.world.scheduler.nowMs + 10 * MINUTE_MS;
  return { scene, first, hidden };
}

/** Tools that see nothing at the provider, and are told that all deletions worked. */
function blindTools({ tools }: Hand): Tools {
  const provider: Tools['provider'] = {
    ...tools.provider,
    retrieveFile: async () => null,
    deleteFile: async () => {},
    listBatches: async () => ({ batches: [], next: null }),
    listFiles: async () => ({ files: [], next: null }),
  };
  return { ...tools, provider, account: 'other' };
}

function fileOf(scene: Scene): string {
  const { chunk } = scene;
  if (chunk.status !== 'abandoning') throw new Error('the chunk is abandoning');
  return chunk.attempt.upload.fileId;
}

function unreachable(kind: 'transient' | 'unknown' = 'transient'): Weather {
  return new Weather({ kind, status: null, code: null, message: 'away', retryAfterMs: null });
}
