import { describe, expect, it, vi } from 'vitest';
import type { NoticeCode } from '../../src/domain/alert.ts';
import { chunkIdOf } from '../../src/domain/ids.ts';
import { Alerts, KeptNotices } from '../../src/service/alerts.ts';
import { Brake } from '../../src/service/brake.ts';
import { Steps } from '../../src/service/step.ts';
import { NoticeCounts } from '../../src/service/notice-counts.ts';
import { alertName, alertsFolder } from '../../src/stages/names.ts';
import { Watch } from '../../src/stages/watch.ts';
import { watchedJob } from './support/watched.ts';

const MINUTE_MS = 60_000;
const CHUNK = chunkIdOf(0);

/** A planned job, and notices that are kept beside it. */
async function kept() {
  const watched = await watchedJob();
  const { scene, worker } = watched;
  const alerts = new Alerts(worker.blobs, worker.journal, worker.clock);
  const heard: string[] = [];
  const notices = new KeptNotices({ tell: ({ code }) => heard.push(code) }, alerts);
  const tell = async (code: NoticeCode, chunk: typeof CHUNK | null = null) => {
    notices.tell({ level: 'alert', code, message: `${code}!`, job: scene.job, chunk });
    await scene.turn(notices.settled());
  };
  return { ...watched, store: alerts, notices, heard, tell };
}

describe('an alert', () => {
  it('is handed on, and kept with the version of the stream that it is about', async () => {
    const { scene, worker, tell, heard, alerts } = await kept();
    await scene.chunkUntil(worker, 'uploaded');
    await tell('batch_missing', CHUNK);
    await tell('provider_unreachable');
    expect(heard).toEqual(['batch_missing', 'provider_unreachable']);
    expect(await alerts()).toMatchObject([
      { code: 'batch_missing', chunk: CHUNK, version: 1, message: 'batch_missing!' },
      { code: 'provider_unreachable', chunk: null, version: 2 },
    ]);
  });

  it('is over when its stream has moved on, unless it tells of something that stays', async () => {
    const { scene, worker, tell, shown, sweep } = await kept();
    await scene.chunkUntil(worker, 'uploaded');
    await tell('file_unseen', CHUNK);
    await tell('answers_incomplete', CHUNK);
    await scene.chunkUntil(worker, 'submitted');
    expect(await shown()).toEqual(['answers_incomplete']);
    await sweep();
    const left = await scene.turn(worker.blobs.list(alertsFolder(scene.job)));
    expect(left).toEqual([`answers_incomplete-${CHUNK}.json`]);
  });

  it('fades where it is not told again, and goes on where it is', async () => {
    const { scene, store, tell, shown, worker } = await kept();
    const watch = new Watch(worker.clock);
    const tend = () => scene.turn(store.tend(scene.job, true, watch));
    await tell('batch_missing');
    await tend();
    await scene.wait(40 * MINUTE_MS);
    await tell('batch_missing');
    await tend();
    await scene.wait(40 * MINUTE_MS);
    await tend();
    expect(await shown()).toEqual(['batch_missing']);
    await scene.wait(10 * MINUTE_MS);
    await tend();
    expect(await shown()).toEqual([]);
  });

  it('of a job that is over is shown only where it stays true', async () => {
    const { scene, tell, shown } = await kept();
    await tell('stray_batch', CHUNK);
    await scene.finish();
    await scene.wait(MINUTE_MS);
    await tell('job_idle');
    expect(scene.jobState.status).toBe('done');
    expect(await shown()).toEqual(['stray_batch']);
  });

  it('that cannot be kept is handed on, and stops nobody', async () => {
    const { scene, heard, tell, shown } = await kept();
    const full = Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' });
    const put = vi.spyOn(scene.world.store, 'put').mockRejectedValue(full);
    await tell('disk_full');
    expect(put).toHaveBeenCalledOnce();
    put.mockRestore();
    expect(heard).toEqual(['disk_full']);
    expect(await shown()).toEqual([]);
  });

  it.each([
    ['of another version of the program', '{"code":"renamed","message":"m","atMs":1,"version":2}'],
    ['whose bytes are cut', '{"code":"job_i'],
  ])('%s stops nobody, is not shown, and goes with its job', async (_, text) => {
    const { scene, worker, tell, shown, store, sweep } = await kept();
    await tell('batch_missing', CHUNK);
    const folder = alertsFolder(scene.job);
    await scene.turn(worker.blobs.put(`${folder}/renamed-job.json`, Buffer.from(text)));
    await sweep();
    expect(await shown()).toEqual(['batch_missing']);
    await scene.turn(store.close(scene.job));
    expect(await scene.turn(worker.blobs.list(folder))).toEqual([]);
  });

  it('of the brake is told once it holds, and lasts until somebody does something', async () => {
    const { scene, worker, notices, store, shown, sweep, heard } = await kept();
    const tools = { ...worker.tools, notices };
    const brake = new Brake(worker.views, worker.queue, worker.blobs);
    const steps = new Steps(tools, worker.queue, worker.views, brake, store, worker.callbacks);
    const wish = { kind: 'hold', code: 'max_errors', message: '4 of 20 failed.' } as const;
    await scene.turn((await scene.jobTask(worker)).stream.record({ type: 'wished', wish }));
    expect(heard).toEqual([]);
    await scene.jobUntilSpread({ ...worker, steps });
    await scene.turn(notices.settled());
    expect(heard).toEqual(['max_errors']);
    for (let hours = 0; hours < 20; hours += 1) await sweep();
    expect(await shown()).toEqual(['max_errors']);
    await scene.turn(worker.jobs.resume(scene.job));
    expect(await shown()).toEqual([]);
  });

  it('is not what a job is given that only waits for a yes', async () => {
    const { scene, worker, notices, store, heard } = await kept();
    const brake = new Brake(worker.views, worker.queue, worker.blobs);
    const own = { ...worker.tools, notices };
    const { queue, views, callbacks } = worker;
    const steps = new Steps(own, queue, views, brake, store, callbacks);
    const wish = { kind: 'hold', code: 'unconfirmed', message: '' } as const;
    await scene.turn((await scene.jobTask(worker)).stream.record({ type: 'wished', wish }));
    await scene.jobUntilSpread({ ...worker, steps });
    expect(heard).toEqual([]);
  });

  it('of lower level, or of no job, is only handed on', async () => {
    const { scene, notices, heard, shown } = await kept();
    const about = { message: '', job: scene.job, chunk: null };
    notices.tell({ ...about, level: 'warning', code: 'files_left' });
    notices.tell({ ...about, level: 'alert', code: 'disk_full', job: null });
    await scene.turn(notices.settled());
    expect(heard).toEqual(['files_left', 'disk_full']);
    expect(await shown()).toEqual([]);
    expect(await scene.world.store.head(alertName(scene.job, 'disk_full', null))).toBeNull();
  });
});

describe('notice counts', () => {
  it('count by code and level since the process began, with the time of the last', () => {
    const time = { nowMs: 5 };
    const clock = { wallMs: () => time.nowMs, monotonicMs: () => 0, sleep: async () => {} };
    const heard: string[] = [];
    const counts = new NoticeCounts({ tell: ({ code }) => heard.push(code) }, clock);
    const about = { message: '', job: null, chunk: null };
    expect(counts.all()).toEqual([]);
    counts.tell({ ...about, level: 'alert', code: 'job_idle' });
    time.nowMs = 9;
    counts.tell({ ...about, level: 'alert', code: 'job_idle' });
    counts.tell({ ...about, level: 'warning', code: 'redis' });
    counts.tell({ ...about, level: 'info', code: 'redis' });
    expect(counts.all()).toEqual([
      { code: 'job_idle', level: 'alert', count: 2, lastAtMs: 9 },
      { code: 'redis', level: 'warning', count: 1, lastAtMs: 9 },
      { code: 'redis', level: 'info', count: 1, lastAtMs: 9 },
    ]);
    expect(heard).toEqual(['job_idle', 'job_idle', 'redis', 'redis']);
  });
});
