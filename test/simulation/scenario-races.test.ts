/** Two that do the same at once, and a flush in the middle: each ends as if there had been one. */

import { describe, expect, it } from 'vitest';
import { JOB_CANCELLED } from '../../src/domain/chunk.ts';
import { merge } from '../../src/stages/merge.ts';
import { planJob } from '../../src/stages/plan-job.ts';
import { settle } from '../../src/stages/settle.ts';
import { spread } from '../../src/stages/spread.ts';
import { submit } from '../../src/stages/submit.ts';
import { Scene } from './scene.ts';
import { PAIR, expectFinished, uploadedScene } from './uploaded-scene.ts';

const MINUTE_MS = 60_000;

describe('races', () => {
  it('between a cancel and a submit end with one cancelled batch, or with none', async () => {
    const outcomes = new Set<number>();
    for (let seed = 1; seed <= 12; seed += 1) {
      const { scene, first } = await uploadedScene(PAIR, seed);
      const rival = scene.worker('rival');
      await scene.turn(rival.jobs.cancel(scene.job));
      const { chunks } = await scene.turn(rival.views.plan(plannedState(scene)));
      const job = await scene.jobTask(rival);
      const task = await scene.chunkTask(first);
      const spreading = spread(job, chunks, (chunk) => rival.views.chunkStream(scene.job, chunk));
      await scene.wait(2 * seed);
      await scene.turn(Promise.all([spreading, submit(task, first.tools)]));
      outcomes.add(scene.world.model.batches.size);
      const { chunk } = scene;
      const close = chunk.status === 'settling' ? chunk.close : JOB_CANCELLED;
      expect(close).toEqual(JOB_CANCELLED);
      await scene.finish();
      expectFinished(scene, scene.executed.length);
      for (const { status } of scene.world.model.batches.values()) {
        expect(['cancelled', 'completed']).toContain(status);
      }
    }
    expect(outcomes).toEqual(new Set([0, 1]));
  });

  it('between two planners make one plan', async () => {
    const scene = await Scene.open(PAIR);
    const hands = [scene.worker('first'), scene.worker('second')];
    const tasks = [];
    for (const hand of hands) tasks.push(await scene.jobTask(hand));
    await scene.turn(Promise.all(tasks.map((task, at) => planJob(task, toolsOf(hands, at)))));
    expect(scene.count('planned')).toBe(1);
    await scene.finish();
    expectFinished(scene, 1);
  });

  it('between two settlers make one part, which is the one that was recorded', async () => {
    const { scene, first } = await uploadedScene();
    await scene.chunkUntil(first, 'settling');
    const hands = [first, scene.worker('second')];
    const tasks = [];
    for (const hand of hands) tasks.push(await scene.chunkTask(hand));
    await scene.turn(Promise.all(tasks.map((task, at) => settle(task, toolsOf(hands, at)))));
    expect(scene.count('settled')).toBe(1);
    await scene.finish();
    expectFinished(scene, 1);
  });

  it('between two merges make one result', async () => {
    const { scene, first } = await uploadedScene();
    await scene.chunkUntil(first, 'settled');
    const hands = [first, scene.worker('second')];
    const { chunks } = await scene.turn(first.views.plan(plannedState(scene)));
    const tasks = [];
    for (const hand of hands) tasks.push(await scene.jobTask(hand));
    const load = async () => scene.chunk;
    const merges = tasks.map((task, at) => merge(task, chunks, load, toolsOf(hands, at)));
    await scene.turn(Promise.all(merges));
    expect(scene.count('merged')).toBe(1);
    await scene.finish();
    expectFinished(scene, 1);
  });
});

describe('a flush in the middle', () => {
  it('lets no job wait for the mark of a chunk whose settler died before it', async () => {
    const { scene, first } = await uploadedScene();
    await scene.chunkUntil(first, 'settling');
    await scene.turn(settle(await scene.chunkTask(first), first.tools));
    expect(scene.chunk.status).toBe('settled');
    scene.world.flush();
    await scene.finish();
    expectFinished(scene, 1);
  });

  it('loses every bell and the board, and costs a sweep', async () => {
    const { scene, first } = await uploadedScene();
    await scene.chunkUntil(first, 'submitted');
    scene.world.start();
    await scene.wait(30_000);
    scene.world.flush();
    const isOver = (): boolean => scene.jobState.status === 'done' || scene.isBroken;
    await scene.world.scheduler.run(scene.world.scheduler.nowMs + 48 * 60 * MINUTE_MS, isOver);
    expectFinished(scene, 1);
    expect(scene.world.model.batches.size).toBe(1);
  });
});

function plannedState(scene: Scene) {
  const state = scene.jobState;
  if (state.status !== 'planned') throw new Error('the job is planned');
  return state;
}

function toolsOf<Tools>(hands: readonly { tools: Tools }[], at: number): Tools {
  const hand = hands[at];
  if (hand === undefined) throw new RangeError('as many hands as tasks');
  return hand.tools;
}
