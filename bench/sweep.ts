/**
 * The sweep, the listing and the rebuild after FLUSHALL with many chunks on disk: a job is written
 * straight into the store, as its steps would have left it, and no provider is asked.
 * Run: node bench/sweep.ts [--chunks 20000] [--jobs 1000]
 */

import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { loadConfig } from '../config/load.ts';
import { openHouse, openStore, providerIdentity } from '../src/compose.ts';
import type { JobId } from '../src/domain/ids.ts';
import { type MadeJob, writeFinishedJobs, writeLiveJob } from './support/made-jobs.ts';

const PROGRAM = join(import.meta.dirname, '../src/cli/main.ts');
/** Nobody listens there: a sweep asks nothing of the provider. */
const NOWHERE = 'http://127.0.0.1:9/v1';

const { values } = parseArgs({
  options: {
    chunks: { type: 'string', default: '20000' },
    jobs: { type: 'string', default: '1000' },
    work: { type: 'string' },
  },
});
const chunks = Number(values.chunks);
const jobs = Number(values.jobs);
if (values.work === undefined) await makeAndMeasure();
else await measureSweeps(values.work, JSON.parse(process.env['MADE_JOB'] ?? '') as MadeJob);

async function makeAndMeasure(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'batchwright-bench-'));
  try {
    const provider = providerIdentity(configIn(folder));
    const made = writeLiveJob(storeOf(folder), chunks, provider);
    console.log(`${chunks} chunks: ${made.settled} settled, ${made.live} live, the rest waiting`);
    await run([import.meta.filename, '--work', folder], folder, { MADE_JOB: JSON.stringify(made) });
    await timed('status', () => run([PROGRAM, 'status', made.job], folder));
    await timed('status --chunks', () => run([PROGRAM, 'status', made.job, '--chunks'], folder));
    writeFinishedJobs(storeOf(folder), jobs, provider);
    await timed(`list of ${jobs + 1} jobs`, () => run([PROGRAM, 'list'], folder));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** In a process of its own, so that its memory is that of the work alone. */
async function measureSweeps(folder: string, made: MadeJob): Promise<void> {
  const config = configIn(folder);
  const store = openStore(config);
  const house = await openHouse(config, store, { tell: ({ message }) => console.log(message) });
  try {
    const redis = house.redis.connect('producer');
    const workers = await timed('first sweep, Redis empty', () => house.start([]));
    expectRung(await bells(), made);
    await timed('sweep of the quiet job', () => workers.sweepNow());
    await redis.flushall();
    await timed('rebuild after FLUSHALL', () => workers.sweepNow());
    expectRung(await bells(), made);
    if (!(await house.tools.board.isReady())) throw new Error('the board is not ready');
    const shown = await house.tools.board.progress(made.job as JobId);
    if (shown.size !== chunks) throw new Error(`${shown.size} of ${chunks} chunks are shown`);
    await workers.stop();

    async function bells(): Promise<number> {
      return (await redis.keys(`bw-*:poll:${made.job}-*`)).length;
    }
  } finally {
    await house.close();
    await store.close();
  }
  const peak = /VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  console.log(`peak memory: ${(Number(peak) / 1024).toFixed(0)} MiB`);
}

function expectRung(rung: number, made: MadeJob): void {
  if (rung !== made.live) throw new Error(`${rung} of ${made.live} owed bells are rung`);
}

function storeOf(folder: string): string {
  return join(folder, 'data', 'store');
}

function configIn(folder: string) {
  return loadConfig(
    {},
    {
      folder,
      env: {
        PATH: process.env['PATH'],
        OPENAI_BASE_URL: NOWHERE,
        BATCHWRIGHT_DATA_DIR: join(folder, 'data'),
        BATCHWRIGHT_RUNTIME_DIR: join(folder, 'run'),
        BATCHWRIGHT_CACHE_DIR: join(homedir(), '.cache', 'batchwright'),
        BATCHWRIGHT_SWEEP_INTERVAL_MS: '3600000',
      },
    },
  );
}

async function run(args: string[], folder: string, env: NodeJS.ProcessEnv = {}): Promise<void> {
  const own = { BATCHWRIGHT_DATA_DIR: join(folder, 'data'), OPENAI_BASE_URL: NOWHERE };
  const options = { env: { ...process.env, ...own, ...env }, maxBuffer: 100_000_000 };
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args, options);
  if (args[0] === import.meta.filename) process.stdout.write(stdout);
  process.stderr.write(stderr);
}

async function timed<Value>(what: string, work: () => Promise<Value>): Promise<Value> {
  const startMs = performance.now();
  const value = await work();
  console.log(`${what}: ${((performance.now() - startMs) / 1_000).toFixed(2)} s`);
  return value;
}
