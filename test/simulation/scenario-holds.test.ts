/** Trouble of the account, wishes in the middle of a create, clocks that lie. */

import { describe, expect, it } from 'vitest';
import { spread } from '../../src/stages/spread.ts';
import { submit } from '../../src/stages/submit.ts';
import { chunkBell } from '../../src/service/bells.ts';
import { isPlanned } from '../../src/service/job-views.ts';
import { expectFinished, once, PAIR, uploadedScene } from './uploaded-scene.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

describe('an account without credit', () => {
  it('holds the job although the process that saw it died before it could', async () => {
    const { scene, first } = await uploadedScene(['a-broke', 'b-ok']);
    await scene.chunkUntil(first, 'ended');
    // Dies with the event of the answers: what it would have done next never comes.
    scene.world.interfere = (process, _name, bytes) => {
      if (Buffer.from(bytes).includes('"event":{"type":"collected"')) process.crash();
      return null;
    };
    const task = await scene.chunkTask(first);
    const due = chunkBell(scene.job, task.chunk.id, task.stream.state, task.stream.version);
    if (due === null) throw new Error('the answers are owed');
    void first.steps.answer(due.bell);
    await scene.wait(MINUTE_MS);
    scene.world.interfere = () => null;
    expect(scene.chunk).toMatchObject({
      status: 'waiting',
      trouble: { code: 'insufficient_quota' },
    });
    expect(scene.jobState.intent.kind).toBe('run');

    const second = scene.worker('second');
    const { stream, chunk } = await scene.chunkTask(second);
    const next = chunkBell(scene.job, chunk.id, stream.state, stream.version);
    if (next === null) throw new Error('the hold is owed');
    await scene.turn(second.steps.answer(next.bell));
    expect(scene.jobState.intent).toMatchObject({ kind: 'hold', code: 'insufficient_quota' });
    expect(scene.count('uploaded')).toBe(1);
    // A resume is heard by the chunk, and takes the trouble away.
    await scene.jobUntilSpread(second);
    await scene.turn(second.jobs.resume(scene.job));
    await scene.jobUntilSpread(second);
    expect(scene.chunk).not.toHaveProperty('trouble');
    await scene.chunkUntil(second, 'submitted');
    expect(scene.count('uploaded')).toBe(2);
  });
});

describe('a hold against a submit', () => {
  it('ends with a batch that goes on, or with none until the job is resumed', async () => {
    const outcomes = new Set<number>();
    for (let seed = 1; seed <= 8; seed += 1) {
      const { scene, first } = await uploadedScene(PAIR, seed);
      const rival = scene.worker('rival');
      const held = await scene.jobTask(rival);
      const wish = { kind: 'hold', code: 'max_errors', message: 'as a test' } as const;
      await scene.turn(held.stream.record({ type: 'wished', wish }));
      const { state } = held.stream;
      if (!isPlanned(state)) throw new Error('the job is planned');
      const { chunks } = await scene.turn(rival.views.plan(state));
      const task = await scene.chunkTask(first);
      const open = (chunk: (typeof chunks)[number]) => rival.views.chunkStream(scene.job, chunk);
      const spreading = spread(held, chunks, open);
      await scene.wait(2 * seed);
      await scene.turn(Promise.all([spreading, submit(task, first.tools)]));
      outcomes.add(scene.world.model.batches.size);
      expect(scene.chunk).toMatchObject({
        status: scene.world.model.batches.size === 0 ? 'uploaded' : 'submitted',
        intent: { kind: 'hold' },
      });
      scene.world.start();
      await scene.wait(HOUR_MS);
      expect(scene.world.model.batches.size === 0).toBe(scene.chunk.status === 'uploaded');
      await scene.turn(rival.jobs.resume(scene.job));
      await scene.finishStarted();
      expectFinished(scene, 1);
    }
    expect(outcomes).toEqual(new Set([0, 1]));
  });
});

describe('a flush between a decision and its record', () => {
  it('costs a sweep: the batch is found again, and no other is made', async () => {
    const { scene, first } = await uploadedScene();
    scene.world.interfere = (process, _name, bytes) => {
      if (!Buffer.from(bytes).includes('"event":{"type":"submitted"')) return null;
      scene.world.interfere = () => null;
      scene.world.flush();
      process.crash();
      return 'before';
    };
    void submit(await scene.chunkTask(first), first.tools);
    await scene.wait(10 * MINUTE_MS);
    expect(scene.chunk.status).toBe('submitting');
    expect(await scene.world.board.isReady()).toBe(false);
    await scene.finish();
    expectFinished(scene, 1);
    expect(scene.world.model.batches.size).toBe(1);
    expect(scene.world.notices.get('batch_adopted')).toBe(1);
  });
});

describe('a wall clock that is a day off', () => {
  it.each([-DAY_MS, DAY_MS])('by %i ms ends no wait early and none late', async (offsetMs) => {
    const { scene, first } = await uploadedScene();
    scene.world.interfere = once('submitted', 'before');
    const lost = submit(await scene.chunkTask(first), first.tools);
    await expect(scene.turn(lost)).rejects.toThrow('EIO');
    const [hidden] = scene.world.model.batches.values();
    Object.assign(hidden ?? {}, { listedAtMs: scene.world.scheduler.nowMs + 90_000 });
    const startedMs = scene.world.scheduler.nowMs;
    const due = async () => {
      const { stream, chunk } = await scene.chunkTask(first);
      const bell = chunkBell(scene.job, chunk.id, stream.state, stream.version)?.bell;
      if (bell === undefined) throw new Error('something is owed');
      return scene.turn(first.steps.answer(bell));
    };
    await due();
    scene.world.wallOffsetMs = offsetMs;
    while (scene.chunk.status === 'submitting') {
      const answer = await due();
      if (answer.kind === 'later') await scene.wait(answer.delayMs);
    }
    expect(scene.chunk.status).toBe('submitted');
    expect(scene.world.scheduler.nowMs - startedMs).toBeGreaterThanOrEqual(90_000);
    expect(scene.world.scheduler.nowMs - startedMs).toBeLessThan(120_000);
    await scene.finish();
    expectFinished(scene, 1);
  });
});
