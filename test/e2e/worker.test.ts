/** `batchwright worker`: which queues it answers, what it says of itself, and how it leaves. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, onTestFinished, test } from 'vitest';

import { Fleet } from '../support/fleet.ts';
import { eventually } from '../support/program.ts';
import { asInput, expectPaidOnce, mixedLines } from '../support/sets.ts';
import { openScene } from './scene.ts';

const LINES = mixedLines(60);
const CHUNKS = '?max_requests=10';

describe('worker processes', () => {
  test('share a job by their queues, over the private Redis of whoever came first', async () => {
    const scene = await openScene([]);
    const fleet = await Fleet.in(scene);
    await fleet.startService();
    const job = await fleet.submit(asInput(LINES), CHUNKS);
    const first = await fleet.startWorker(['--queues', 'plan,dispatch,poll']);
    await eventually(async () => {
      const { by_phase: phases } = (await fleet.look(job)).chunks;
      expect(phases['ended'] ?? 0).toBeGreaterThan(0);
    });
    expect((await fleet.look(job)).chunks.by_phase['settled'] ?? 0).toBe(0);
    const second = await fleet.startWorker([], { BATCHWRIGHT_QUEUES: 'settle,merge' });
    const shown = await fleet.untilOver(job);
    expect(shown).toMatchObject({ status: 'completed', counts: { succeeded: LINES.length } });
    expectPaidOnce(scene.simulator, LINES.length);
    for (const worker of [first, second]) {
      worker.signal('SIGTERM');
      expect(await worker.ended).toMatchObject({ code: 0 });
    }
    expect(first.stderr()).toMatch(/^worker for plan, dispatch, poll at .* · private Redis at /);
    expect(second.stderr()).toMatch(/^worker for settle, merge at /);
  });

  test('say on a port of this machine that they live, and their numbers', async () => {
    const { place } = await openScene([]);
    const worker = place.start(['worker', '--port', '0']);
    await worker.says(/healthz/);
    const url = /http:\S+\/healthz/.exec(worker.stderr())?.[0] ?? '';
    const health = await fetch(url);
    expect([health.status, await health.json()]).toEqual([200, { status: 'ok' }]);
    const metrics = await fetch(new URL('/metrics', url));
    expect(metrics.headers.get('content-type')).toMatch(/^text\/plain/);
    expect(await metrics.text()).toContain('batchwright_build_info');
    expect((await fetch(new URL('/other', url))).status).toBe(404);
    expect((await fetch(url, { method: 'POST' })).status).toBe(405);
  });

  test('tell what happens as JSON lines on stdout', async () => {
    const scene = await openScene([]);
    scene.simulator.controls.setFault({ name: 'create_reset_after_work', times: 1 });
    const fleet = await Fleet.in(scene);
    await fleet.startService();
    const job = await fleet.submit(asInput(LINES));
    const worker = await fleet.startWorker();
    await fleet.untilOver(job);
    worker.signal('SIGTERM');
    const { stdout } = await worker.ended;
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(lines).toContainEqual(
      expect.objectContaining({ level: 'warn', code: 'batch_adopted', job }),
    );
  });
});

describe('a worker process that cannot begin', () => {
  test('names the queues that there are', async () => {
    const { place } = await openScene([]);
    const ended = await place.command(['worker', '--queues', 'plan,sweep']);
    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain('plan,dispatch,poll,settle,merge');
  });

  test('says which port is taken', async () => {
    const { place } = await openScene([]);
    const { port } = await openServer();
    const ended = await place.command(['worker', '--port', String(port)]);
    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain(`127.0.0.1, port ${port} cannot be used (EADDRINUSE): choose`);
  });

  test('says all that is wrong with its settings, as an entry point of one queue too', async () => {
    const env = { PATH: process.env['PATH'], BATCHWRIGHT_PROT: '1', BATCHWRIGHT_PORT: 'x' };
    const { ended, said } = startEntry('poll', env);
    expect(await ended).toBe(2);
    expect(said().trimEnd().split('\n')).toEqual([
      expect.stringContaining('BATCHWRIGHT_PROT'),
      expect.stringContaining('BATCHWRIGHT_PORT'),
      expect.stringContaining('OPENAI_API_KEY is not set'),
    ]);
  });
});

describe('an entry point', () => {
  const ALL = 'plan, dispatch, poll, settle, merge';
  test.each([
    ['plan', 'plan'],
    ['dispatch', 'dispatch'],
    ['poll', 'poll'],
    ['settle', 'settle'],
    ['merge', 'merge'],
    ['sweep', 'sweeping'],
    ['start', ALL],
  ])('workers/%s.ts answers %s, and leaves when it is asked to', async (name, work) => {
    const { place, simulator } = await openScene([]);
    const { child, ended, said } = startEntry(name, {
      PATH: process.env['PATH'],
      HOME: place.folder,
      OPENAI_BASE_URL: simulator.url,
      BATCHWRIGHT_DATA_DIR: place.dataDir,
      BATCHWRIGHT_RUNTIME_DIR: place.runtimeDir,
      BATCHWRIGHT_CACHE_DIR: join(homedir(), '.cache', 'batchwright'),
    });
    await eventually(() => expect(said()).toContain(`worker for ${work} at ${place.dataDir}`));
    child.kill('SIGTERM');
    expect(await ended, said()).toBe(0);
  });
});

/** A program of workers/, with nothing in its environment but this. */
function startEntry(name: string, env: NodeJS.ProcessEnv) {
  const path = join(import.meta.dirname, `../../workers/${name}.ts`);
  const child = spawn(process.execPath, [path], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  let text = '';
  child.stderr.setEncoding('utf8').on('data', (piece: string) => (text += piece));
  const ended = once(child, 'close').then(([code]) => code as number | null);
  return { child, ended, said: () => text };
}

describe('a worker process that is asked to end', () => {
  test('leaves at once while it still waits for its Redis', async () => {
    const { place } = await openScene([]);
    const { port, connected } = await openServer();
    const worker = place.start(['worker'], { REDIS_URL: `redis://127.0.0.1:${port}` });
    await Promise.race([connected, worker.ended]);
    worker.signal('SIGTERM');
    expect((await worker.ended).code).toBe(0);
  });

  test('finishes the step that runs, and leaves the rest to others', async () => {
    const scene = await openScene([]);
    const { simulator } = scene;
    const fleet = await Fleet.in(scene, { BATCHWRIGHT_MAX_LIVE_BATCHES: '1' });
    await fleet.startService();
    const hold = simulator.controls.hold('create', 'after');
    const job = await fleet.submit(asInput(LINES), CHUNKS);
    const worker = await fleet.startWorker();
    await hold.reached;
    worker.signal('SIGTERM');
    await worker.says(/Leaving/);
    hold.release();
    expect((await worker.ended).code).toBe(0);
    await fleet.startWorker();
    expect((await fleet.untilOver(job)).status).toBe('completed');
    expectPaidOnce(simulator, LINES.length);
    expect(simulator.ledger.totals().filesUploaded).toBe(simulator.controls.batches().length);
  });

  test('ends in the middle of a step at the second signal', async () => {
    const scene = await openScene([]);
    const fleet = await Fleet.in(scene);
    await fleet.startService();
    const hold = scene.simulator.controls.hold('upload', 'before');
    await fleet.submit(asInput(LINES), CHUNKS);
    const worker = await fleet.startWorker();
    await hold.reached;
    worker.signal('SIGTERM');
    await worker.says(/Leaving/);
    worker.signal('SIGINT');
    expect((await worker.ended).code).toBe(130);
    hold.release();
  });
});

/** A server that takes connections and says nothing. */
async function openServer() {
  const taken = Promise.withResolvers<void>();
  const server = createServer(() => taken.resolve()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return { port: (server.address() as AddressInfo).port, connected: taken.promise };
}
