import { describe, expect, it } from 'vitest';
import { chunkIdOf } from '../../src/domain/ids.ts';
import type { JobEvent } from '../../src/domain/job.ts';
import type { Journal } from '../../src/ports/journal.ts';
import type { LiveBoard } from '../../src/ports/live-board.ts';
import { Alerts } from '../../src/service/alerts.ts';
import { JobReports } from '../../src/service/job-reports.ts';
import { JobViews } from '../../src/service/job-views.ts';
import { jobStreamName, manifestName } from '../../src/stages/names.ts';
import { Scene } from '../simulation/scene.ts';

const IDS = ['a-ok', 'b-ok', 'c-final', 'd-ok', 'e-ok'];

/** A planned job of three chunks, a worker, and who reports about it. */
async function reported(withBoard = true) {
  const scene = await Scene.open(IDS);
  const worker = scene.worker('worker');
  const reader = scene.worker('reader');
  const loads: string[] = [];
  const journal: Journal = {
    load: (name) => {
      loads.push(name.split('/').at(-1) ?? '');
      return reader.journal.load(name);
    },
    append: (...entry) => reader.journal.append(...entry),
    history: (name) => reader.journal.history(name),
  };
  const views = new JobViews(reader.blobs, journal);
  let looks = 0;
  const board = new Proxy<LiveBoard>(reader.tools.board, {
    get(target, key, receiver) {
      if (key === 'progress') looks += 1;
      return Reflect.get(target, key, receiver) as unknown;
    },
  });
  const alerts = new Alerts(reader.blobs, reader.journal, reader.clock);
  const parts = { ...reader, views, alerts, board: withBoard ? board : null };
  const reports = new JobReports(parts);
  const report = () => scene.turn(reports.report(scene.jobState));
  return { scene, worker, reports, report, loads, looks: () => looks };
}

const chunkLoads = (loads: readonly string[]): string[] =>
  loads.filter((name) => name.startsWith('c')).toSorted();

describe('the report of a job', () => {
  it('counts nothing before there is a plan', async () => {
    const { report } = await reported();
    expect(await report()).toMatchObject({
      status: 'planning',
      counts: { total: 0, succeeded: 0, failed: 0, rejected: 0, pending: 0 },
      phases: {},
      finishedAtMs: null,
      usage: null,
    });
  });

  it('adds up the board where that shows every chunk, and loads no stream', async () => {
    const { scene, worker, report, loads } = await reported();
    await scene.jobUntil(worker, 'planned');
    const { counts, phases } = await report();
    expect(counts).toEqual({ total: 5, succeeded: 0, failed: 0, rejected: 0, pending: 5 });
    expect(phases).toEqual({ waiting: 3 });
    expect(chunkLoads(loads)).toEqual([]);
  });

  it('loads the streams of the chunks that the board does not show, and only those', async () => {
    const { scene, worker, report, loads } = await reported();
    await scene.jobUntil(worker, 'planned');
    await scene.chunkUntil(worker, 'settled');
    scene.world.board.forget();
    const ref = { job: scene.job, chunk: chunkIdOf(1) };
    const shown = { phase: 'in_progress', reason: '', total: 2, done: 1, failed: 0 };
    await scene.world.board.setProgress(ref, shown);
    const { counts, phases } = await report();
    expect(counts).toEqual({ total: 5, succeeded: 3, failed: 0, rejected: 0, pending: 2 });
    expect(phases).toEqual({ settled: 1, in_progress: 1, waiting: 1 });
    expect(chunkLoads(loads)).toEqual(['c000000', 'c000002']);
  });

  it('says the same without a board, and with one that cannot be read', async () => {
    for (const withBoard of [true, false]) {
      const { scene, worker, report } = await reported(withBoard);
      await scene.jobUntil(worker, 'planned');
      await scene.chunkUntil(worker, 'settled');
      scene.world.board.progress = async () => Promise.reject(new Error('Redis is away'));
      const { counts, phases } = await report();
      expect(counts).toMatchObject({ succeeded: 2, pending: 3 });
      expect(phases).toEqual({ settled: 1, waiting: 2 });
    }
  });

  it('looks once for all who ask within a second, and again after it', async () => {
    const { scene, worker, reports, report, looks } = await reported();
    await scene.jobUntil(worker, 'planned');
    const ask = () => reports.report(scene.jobState);
    await scene.turn(Promise.all(Array.from({ length: 20 }, ask)));
    await report();
    expect(looks()).toBe(1);
    await scene.wait(1_001);
    await report();
    expect(looks()).toBe(2);
  });

  it('says why chunks wait', async () => {
    const { scene, worker, report } = await reported();
    await scene.jobUntil(worker, 'planned');
    for (const index of [0, 1]) {
      const ref = { job: scene.job, chunk: chunkIdOf(index) };
      const reason = 'a free batch slot';
      const progress = { phase: 'uploaded', reason, total: 2, done: 0, failed: 0 };
      await scene.world.board.setProgress(ref, progress);
    }
    expect((await report()).reasons).toEqual({ 'a free batch slot': 2 });
  });

  it('is exact once the job is merged, and reads its end and its usage once', async () => {
    const { scene, worker, report, loads } = await reported();
    await scene.finish();
    const [name, streamName] = [manifestName(scene.job), jobStreamName(scene.job)];
    const manifest = JSON.parse(scene.world.store.peek(name).toString()) as object;
    const usage = {
      'model-1': { answers: 4, input_tokens: 9, output_tokens: 3, total_tokens: 12 },
    };
    await scene.world.store.put(name, Buffer.from(JSON.stringify({ ...manifest, usage })));
    const first = await report();
    expect(first).toMatchObject({
      status: 'completed_with_errors',
      usage: { 'model-1': { answers: 4, inputTokens: 9, outputTokens: 3, totalTokens: 12 } },
      counts: { total: 5, succeeded: 4, failed: 1, rejected: 0, pending: 0 },
      phases: { settled: 3 },
      reasons: {},
    });
    // The clocks of the simulated processes differ: only the journal knows.
    const history = await scene.turn(worker.journal.history<JobEvent, unknown>(streamName));
    expect(first.finishedAtMs).toBe(history.find(({ event }) => event.type === 'merged')?.atMs);
    await scene.world.store.delete(name);
    expect(await report()).toEqual(first);
    expect(chunkLoads(loads)).toEqual([]);
  });

  it('counts the lines of a cancelled job as failed when its chunks are settled', async () => {
    const { scene, worker, report } = await reported();
    await scene.jobUntil(worker, 'planned');
    await scene.turn(worker.jobs.cancel(scene.job));
    await scene.jobUntilSpread(worker);
    await scene.chunkUntil(worker, 'settled');
    expect(await report()).toMatchObject({
      status: 'cancelling',
      counts: { total: 5, succeeded: 0, failed: 2, pending: 3 },
      phases: { settled: 1, settling: 2 },
    });
    await scene.finish();
    expect(await report()).toMatchObject({
      status: 'cancelled',
      counts: { total: 5, succeeded: 0, failed: 5, pending: 0 },
    });
  });
});

describe('the chunks of a job', () => {
  it('come in pages, in their order, without the provider’s ids', async () => {
    const { scene, worker, reports } = await reported();
    const page = (after: number | null, limit: number) => {
      const cursor = after === null ? null : chunkIdOf(after);
      return scene.turn(reports.chunks(scene.jobState, { after: cursor, limit }));
    };
    expect(await page(null, 2)).toEqual({ chunks: [], hasMore: false });
    await scene.jobUntil(worker, 'planned');
    await scene.chunkUntil(worker, 'submitted');
    const first = await page(null, 2);
    expect(first.hasMore).toBe(true);
    expect(first.chunks).toMatchObject([
      {
        id: 'c000000',
        model: 'model',
        status: 'submitted',
        requests: 2,
        rejected: 0,
        executed: 0,
        tally: { succeeded: 0, failed: 0, pending: 2 },
        firstLine: 1,
        lastLine: 2,
      },
      { id: 'c000001', status: 'waiting', phase: 'waiting', firstLine: 3, lastLine: 4 },
    ]);
    const ids = [...scene.world.model.batches.keys(), ...scene.world.model.files.keys()];
    expect(ids.length).toBeGreaterThan(0);
    for (const id of ids) expect(JSON.stringify(first)).not.toContain(id);
    const last = await page(1, 2);
    expect(last).toMatchObject({ chunks: [{ id: 'c000002', requests: 1 }], hasMore: false });
    expect(await page(2, 2)).toEqual({ chunks: [], hasMore: false });
  });

  it('show what the provider does with a batch, and what is settled in the end', async () => {
    const { scene, worker, reports } = await reported();
    const chunks = () => scene.turn(reports.chunks(scene.jobState, { after: null, limit: 10 }));
    await scene.jobUntil(worker, 'planned');
    await scene.chunkUntil(worker, 'submitted');
    const ref = { job: scene.job, chunk: chunkIdOf(0) };
    const progress = { phase: 'finalizing', reason: '', total: 2, done: 2, failed: 0 };
    await scene.world.board.setProgress(ref, progress);
    expect((await chunks()).chunks[0]).toMatchObject({ status: 'submitted', phase: 'finalizing' });
    await scene.finish();
    const phases = (await chunks()).chunks.map(({ phase, executed }) => [phase, executed]);
    expect(phases).toEqual([
      ['settled', 1],
      ['settled', 1],
      ['settled', 1],
    ]);
    expect((await chunks()).chunks[1]?.tally).toEqual({ succeeded: 1, failed: 1, pending: 0 });
  });
});
