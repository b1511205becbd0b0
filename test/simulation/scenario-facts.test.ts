/** What costs others money: facts that get lost, creates without an answer, frozen processes. */

import { describe, expect, it, vi } from 'vitest';
import { submit } from '../../src/stages/submit.ts';
import { expectFinished, once, PAIR, uploadedScene } from './uploaded-scene.ts';

const MINUTE_MS = 60_000;

describe('facts', () => {
  it('adopts a paid batch whose event was lost, and creates no other', async () => {
    const { scene, first } = await uploadedScene();
    scene.world.interfere = once('submitted', 'before');
    await expect(scene.turn(submit(await scene.chunkTask(first), first.tools))).rejects.toThrow(
      'EIO',
    );
    expect(scene.chunk.status).toBe('submitting');
    const second = scene.worker('second');
    await scene.chunkUntil(second, 'submitted');
    expect(scene.world.model.batches.size).toBe(1);
    expect(scene.world.notices.get('batch_adopted')).toBe(1);
    await scene.finish();
    expectFinished(scene, 1);
  });

  it('takes an append for its own whose success was reported as a failure', async () => {
    const { scene, first } = await uploadedScene();
    scene.world.interfere = once('submitting', 'after');
    await scene.turn(submit(await scene.chunkTask(first), first.tools));
    expect(scene.chunk.status).toBe('submitted');
    await scene.finish();
    expectFinished(scene, 1);
  });

  it('records a batch behind an intent that came in between', async () => {
    const { scene, first } = await uploadedScene();
    const task = await scene.chunkTask(first);
    scene.world.interfere = (_process, _name, bytes) => {
      if (!Buffer.from(bytes).includes('"event":{"type":"submitting"')) return null;
      scene.world.interfere = () => null;
      // While the create is under way, another process appends what the fact has to follow.
      const rival = scene.worker('rival');
      void scene.chunkTaskNow(rival).then((other) =>
        other.stream.record({
          type: 'intended',
          intent: { kind: 'hold', revision: 1, code: 'max_errors', message: '' },
        }),
      );
      return null;
    };
    await scene.turn(submit(task, first.tools));
    await scene.wait(1_000);
    expect(scene.chunk).toMatchObject({ status: 'submitted', intent: { kind: 'hold' } });
    expect(scene.world.notices.get('batch_adopted')).toBeUndefined();
  });
});

describe('a create of unknown outcome', () => {
  it('is looked for through the whole window before its attempt is given up', async () => {
    const { scene, first } = await uploadedScene();
    scene.rates = { lateCreate: 1 };
    // As late as it can be: long after its attempt was given up.
    const latest = vi.spyOn(scene.world.random, 'next').mockReturnValue(0.999);
    await scene.turn(submit(await scene.chunkTask(first), first.tools));
    expect(scene.chunk.status).toBe('submitting');
    latest.mockRestore();
    scene.rates = { lateCreate: 0 };
    const startedMs = scene.world.scheduler.nowMs;
    await scene.chunkUntil(first, 'abandoning');
    expect(scene.world.scheduler.nowMs - startedMs).toBeGreaterThanOrEqual(120_000);
    await scene.finish();
    // The late create found its file gone: it made a batch that failed.
    await scene.wait(20 * MINUTE_MS);
    expectFinished(scene, 1);
    expect(scene.world.model.batches.size).toBe(2);
  });

  it('that comes to light after its attempt was given up is stopped and used', async () => {
    const { scene, first } = await uploadedScene(PAIR, 2);
    scene.world.interfere = once('submitted', 'before');
    await expect(scene.turn(submit(await scene.chunkTask(first), first.tools))).rejects.toThrow(
      'EIO',
    );
    const [hidden] = scene.world.model.batches.values();
    scene.rates = { stuck: 1 };
    await scene.wait(3 * MINUTE_MS);
    scene.rates = { stuck: 0 };
    expect(hidden?.status).toBe('in_progress');
    Object.assign(hidden ?? {}, { listedAtMs: scene.world.scheduler.nowMs + 6 * MINUTE_MS });
    await scene.chunkUntil(first, 'waiting');
    expect(scene.count('abandoned')).toBe(1);
    await scene.chunkUntil(first, 'ended');
    // With this seed the next batch runs until the hidden one is listed.
    expect(hidden?.cancelAsked).toBe(true);
    await scene.finish();
    expect(scene.count('stray_found')).toBe(1);
    expect(scene.count('stray_collected')).toBe(1);
    expect(hidden?.status).toMatch(/completed|cancelled|failed/);
    expect(scene.chunk.collected.map(({ batchId }) => batchId)).toContain(hidden?.id);
    expectFinished(scene, scene.executed.length);
  });

  it('with two matches: the older live batch stays, the other is a stray', async () => {
    const { scene, first } = await uploadedScene();
    scene.rates = { twin: 1 };
    scene.world.interfere = once('submitted', 'before');
    await expect(scene.turn(submit(await scene.chunkTask(first), first.tools))).rejects.toThrow(
      'EIO',
    );
    scene.rates = { twin: 0 };
    const [older, younger] = [...scene.world.model.batches.values()];
    Object.assign(older ?? {}, { createdAtMs: (older?.createdAtMs ?? 0) - 5_000 });
    await scene.chunkUntil(first, 'submitted');
    expect(scene.chunk).toMatchObject({
      batchId: older?.id,
      strays: [{ batchId: younger?.id, number: 1 }],
    });
    expect([older?.cancelAsked, younger?.cancelAsked]).toEqual([false, true]);
    await scene.finish();
    expectFinished(scene, scene.executed.length);
    expect(scene.chunk.collected.map(({ batchId }) => batchId)).toEqual([older?.id, younger?.id]);
  });
});

describe('an adoption that dies half-way', () => {
  it('leaves no second match behind that nobody looks for', async () => {
    const { scene, first } = await uploadedScene();
    scene.rates = { twin: 1 };
    scene.world.interfere = once('submitted', 'before');
    const lost = submit(await scene.chunkTask(first), first.tools);
    await expect(scene.turn(lost)).rejects.toThrow('EIO');
    scene.rates = { twin: 0 };
    scene.world.interfere = once('submitted', 'after');
    await scene.chunkUntil(first, 'submitted');
    await scene.finish();
    const batches = [...scene.world.model.batches.keys()];
    expect(scene.chunk.collected.map(({ batchId }) => batchId).toSorted()).toEqual(
      batches.toSorted(),
    );
  });
});

describe('a process that was frozen', () => {
  it('does not send a create whose decision is older than its deadline', async () => {
    const { scene } = await uploadedScene();
    const frozen = scene.worker('frozen');
    const task = await scene.chunkTask(frozen);
    scene.world.interfere = (process, _name, bytes) => {
      if (process !== frozen.process) return null;
      if (Buffer.from(bytes).includes('"type":"submitting"')) process.freeze(90_000, () => {});
      return null;
    };
    await scene.turn(submit(task, frozen.tools));
    expect(scene.count('unsent')).toBe(1);
    expect(scene.world.model.batches.size).toBe(0);
    scene.world.interfere = () => null;
    await scene.finish();
    expectFinished(scene, 1);
  });

  it('does not take its own failure for the next attempt’s', async () => {
    const { scene } = await uploadedScene();
    const frozen = scene.worker('frozen');
    const task = await scene.chunkTask(frozen);
    scene.world.interfere = (process, _name, bytes) => {
      if (process !== frozen.process) return null;
      const isMeant = Buffer.from(bytes).includes('"type":"submitting"');
      if (isMeant) process.freeze(10 * MINUTE_MS, () => {});
      return null;
    };
    const late = submit(task, frozen.tools);
    await scene.wait(1_000);
    const second = scene.worker('second');
    await scene.chunkUntil(second, 'waiting');
    await scene.chunkUntil(second, 'uploaded');
    scene.world.interfere = once('submitted', 'before');
    const next = submit(await scene.chunkTask(second), second.tools);
    await expect(scene.turn(next)).rejects.toThrow('EIO');
    await scene.turn(late);
    // Else the upload of the second attempt would be submitted twice.
    expect(scene.chunk).toMatchObject({ status: 'submitting', attempt: { number: 2 } });
    expect(scene.count('unsent')).toBe(0);
    await scene.finish();
    expectFinished(scene, 1);
  });

  it('posts over a deleted file, and its late fact is not taken for the next attempt', async () => {
    const { scene } = await uploadedScene(PAIR, 2);
    let strikes = 0;
    const frozen = scene.worker('frozen', (process, label) => {
      if (label !== 'createBatch' || strikes > 0) return;
      strikes += 1;
      process.freeze(10 * MINUTE_MS, () => {});
    });
    const task = await scene.chunkTask(frozen);
    const late = submit(task, frozen.tools);
    await scene.wait(10_000);
    // With this seed the POST is not yet with the kernel when the process stops.
    expect(scene.world.model.batches.size).toBe(0);
    const second = scene.worker('second');
    await scene.chunkUntil(second, 'waiting');
    await scene.chunkUntil(second, 'uploaded');
    // The next attempt's create is under way when the frozen one wakes up.
    scene.world.interfere = once('submitted', 'before');
    const next = submit(await scene.chunkTask(second), second.tools);
    await expect(scene.turn(next)).rejects.toThrow('EIO');
    expect(scene.chunk).toMatchObject({ status: 'submitting', attempt: { number: 2 } });
    await scene.turn(late);
    expect(scene.world.model.batches.size).toBe(2);
    expect(scene.chunk).toMatchObject({ status: 'submitting', attempt: { number: 2 } });
    await scene.finish();
    expectFinished(scene, 1);
  });
});
