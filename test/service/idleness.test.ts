import { describe, expect, it, vi } from 'vitest';
import { chunkIdOf } from '../../src/domain/ids.ts';
import { Alerts } from '../../src/service/alerts.ts';
import { Steps } from '../../src/service/step.ts';
import { Brake } from '../../src/service/brake.ts';
import { workingName } from '../../src/stages/names.ts';
import type { Tools } from '../../src/stages/tools.ts';
import { Scene } from '../simulation/scene.ts';
import { slotTakenByAnother, SWEEP_MS, watchedJob, watching } from './support/watched.ts';

async function times(count: number, work: () => Promise<void>): Promise<void> {
  for (let done = 0; done < count; done += 1) await work();
}

describe('a job that idles', () => {
  it('is told of when nobody did what is due for two sweeps, and not before', async () => {
    const { sweep, shown } = await watchedJob();
    await times(2, sweep);
    expect(await shown()).toEqual([]);
    await sweep();
    expect(await shown()).toEqual(['job_idle']);
  });

  it('is told of once an hour, and no more when somebody has done something', async () => {
    const { sweep, shown, scene, worker } = await watchedJob();
    await times(14, sweep);
    expect(scene.world.notices.get('job_idle')).toBe(1);
    await times(2, sweep);
    expect(scene.world.notices.get('job_idle')).toBe(2);
    await scene.chunkUntil(worker, 'uploaded');
    await sweep();
    expect(await shown()).toEqual([]);
  });

  it('is told of while Redis is away', async () => {
    const away = (): never => {
      throw new Error('Redis is away');
    };
    const board = new Proxy({} as Tools['board'], { get: () => async () => away() });
    const { sweep, shown } = await watchedJob(() => ({ board }));
    await expect(sweep()).rejects.toThrow('Redis is away');
    await expect(sweep()).rejects.toThrow('Redis is away');
    await expect(sweep()).rejects.toThrow('Redis is away');
    expect(await shown()).toEqual(['job_idle']);
  });

  it('is told of where its steps only throw', async () => {
    const { scene, worker, sweep, shown } = await watchedJob();
    const ours = await watching(scene, 'other', () => ({ watch: worker.tools.watch }));
    const broken = { ...worker.tools, engines: { ...worker.tools.engines, run: fail } };
    const brake = new Brake(worker.views, worker.queue, worker.blobs);
    const alerts = new Alerts(worker.blobs, worker.journal, worker.clock);
    const steps = new Steps(broken, worker.queue, worker.views, brake, alerts, worker.callbacks);
    const step = async () => {
      const bell = { queue: 'dispatch', job: scene.job, chunk: chunkIdOf(0), version: 0 } as const;
      await expect(scene.turn(steps.answer(bell))).rejects.toThrow('broken');
      await ours.sweep();
    };
    await times(3, step);
    expect(await ours.shown()).toEqual(['job_idle']);
    await times(2, sweep);
    expect(await shown()).toEqual(['job_idle']);
  });
});

describe('a job that waits for good reason', () => {
  it('is not told of while it is held', async () => {
    const { scene, worker, sweep } = await watchedJob();
    const wish = { kind: 'hold', code: 'max_errors', message: '' } as const;
    await scene.turn((await scene.jobTask(worker)).stream.record({ type: 'wished', wish }));
    const { version } = (await scene.jobTask(worker)).stream;
    const bell = { queue: 'merge', job: scene.job, chunk: null, version } as const;
    await scene.turn(worker.steps.answer(bell));
    await times(5, sweep);
    expect(scene.world.notices.get('job_idle')).toBeUndefined();
  });

  it('is not told of while a chunk pauses, but after it', async () => {
    const { scene, worker, sweep } = await watchedJob(undefined, {}, ['a-ok', 'b-ok']);
    await scene.chunkUntil(worker, 'uploaded');
    const task = await scene.chunkTask(worker);
    await scene.turn(task.stream.decide({ type: 'submitting', attemptId: 'attempt' }));
    const unsent = { type: 'unsent', attemptId: 'attempt', reason: '' } as const;
    await scene.turn(task.stream.decide({ ...unsent, pauseMs: 6 * SWEEP_MS }));
    await times(6, sweep);
    expect(scene.world.notices.get('job_idle')).toBeUndefined();
    await times(4, sweep);
    expect(scene.world.notices.get('job_idle')).toBe(1);
  });

  it('is not told of while another job has all the slots', async () => {
    const { another, changes } = slotTakenByAnother();
    const { scene, sweep } = await watchedJob(changes, { maxLiveBatches: 1 });
    await times(6, sweep);
    expect(scene.world.notices.get('job_idle')).toBeUndefined();
    another.isThere = false;
    await times(4, sweep);
    expect(scene.world.notices.get('job_idle')).toBe(1);
  });

  it('is not told of by the process that runs its step, however long', async () => {
    const { scene, worker } = await watchedJob();
    const ours = await watching(scene, 'same', () => ({ watch: worker.tools.watch }));
    const left = worker.tools.watch.attend(scene.job);
    await times(10, ours.sweep);
    expect(scene.world.notices.get('job_idle')).toBeUndefined();
    left('failed');
    await times(3, ours.sweep);
    expect(scene.world.notices.get('job_idle')).toBe(1);
  });

  it('is not told of by a process that does nothing, while another one works', async () => {
    const { scene, worker, sweep } = await watchedJob();
    const busy = await watching(scene, 'busy', () => ({ watch: worker.tools.watch }));
    worker.tools.watch.attend(scene.job);
    await times(8, async () => {
      await busy.sweep();
      await sweep();
    });
    expect(scene.world.notices.get('job_idle')).toBeUndefined();
  });

  it('is not told of while marks change that cannot be read, but once they stay', async () => {
    const { scene, worker, sweep } = await watchedJob();
    const marked = async (text: string) => {
      await scene.turn(worker.blobs.put(workingName(scene.job), Buffer.from(text)));
      await sweep();
    };
    for (const text of ['{', '{"by', 'null', '{"quietMs":"long"}', '[]', '']) await marked(text);
    expect(scene.world.notices.get('job_idle')).toBeUndefined();
    await times(3, sweep);
    expect(scene.world.notices.get('job_idle')).toBe(1);
  });

  it('is not told of until a dead process would have come again, and once more', async () => {
    const { scene, worker, sweep } = await watchedJob();
    const dying = await watching(scene, 'dying', () => ({ watch: worker.tools.watch }));
    worker.tools.watch.attend(scene.job)(3 * SWEEP_MS);
    await dying.sweep();
    expect(await scene.turn(worker.blobs.get(workingName(scene.job)))).not.toBeNull();
    await times(5, sweep);
    expect(scene.world.notices.get('job_idle')).toBeUndefined();
    await times(4, sweep);
    expect(scene.world.notices.get('job_idle')).toBe(1);
  });

  it('is forgotten by the process that ends it, and stays so when a late bell rings', async () => {
    const scene = await Scene.open(['a-ok', 'b-ok']);
    const hand = scene.worker('worker');
    await scene.jobUntil(hand, 'planned');
    await scene.chunkUntil(hand, 'settled');
    await scene.jobUntil(hand, 'merged');
    const attend = vi.spyOn(hand.tools.watch, 'attend');
    const dismiss = vi.spyOn(hand.tools.watch, 'dismiss');
    await scene.jobUntil(hand, 'done');
    expect(attend).toHaveBeenCalled();
    expect(dismiss.mock.calls).toEqual([[scene.job]]);
    const late = { job: scene.job, version: 1 };
    await scene.turn(hand.steps.answer({ ...late, queue: 'poll', chunk: chunkIdOf(0) }));
    await scene.turn(hand.steps.answer({ ...late, queue: 'merge', chunk: null }));
    expect(hand.tools.watch.attended(scene.job).answers).toBe(0);
  });

  it('goes through all of its life without an alert or a mark that stays', async () => {
    const scene = await Scene.open(['a-ok', 'b-fail', 'c-ok', 'd-ok'], { maxLiveBatches: 1 });
    await scene.finish();
    expect(scene.jobState.status).toBe('done');
    await scene.wait(1_000);
    expect([...scene.world.notices.keys()]).not.toContain('job_idle');
    const left = await scene.world.store.get(workingName(scene.job));
    expect(left).toBeNull();
  });
});

async function fail(): Promise<never> {
  throw new Error('broken engine');
}
