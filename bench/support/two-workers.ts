/** Two worker processes on one data directory, and the moments in which the first can be held. */

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { watch } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../config/load.ts';
import { limitsOf } from '../../src/cli/plan-flags.ts';
import { openSource } from '../../src/cli/source.ts';
import { openStore, providerIdentity } from '../../src/compose.ts';
import type { Hold } from '../../src/simulator/http/gates.ts';
import { startSimulator } from '../../src/simulator/simulator.ts';
import type { Simulator } from '../../src/simulator/simulator.ts';

/** Steps that wait for the provider, and the call that holds them. */
const OPERATIONS = {
  upload: 'upload',
  poll: 'retrieve',
  collect: 'download',
  clean: 'file_delete',
} as const;

export type HeldMoment = keyof typeof OPERATIONS;
/** Steps of our own, which nothing can hold. */
export type SeenMoment = 'settle' | 'merge';
export type Moment = HeldMoment | SeenMoment;

const WORKER = join(import.meta.dirname, '../../workers/start.ts');
const PATIENCE_MS = 180_000;
/** Enough for settling and merging to last longer than a signal takes. */
const REQUESTS = 8_000;

interface Paths {
  readonly folder: string;
  readonly job: string;
}

export class TwoWorkers {
  readonly #simulator: Simulator;
  readonly #env: NodeJS.ProcessEnv;
  readonly #paths: Paths;
  readonly #workers: ChildProcess[] = [];
  #hold: Hold | null = null;

  private constructor(simulator: Simulator, env: NodeJS.ProcessEnv, paths: Paths) {
    this.#simulator = simulator;
    this.#env = env;
    this.#paths = paths;
  }

  /** A submitted job of one chunk, and nobody yet who works on it. */
  static async open(redisUrl: string): Promise<TwoWorkers> {
    const simulator = await startSimulator({ seed: 5, timeFactor: 3_600 });
    const folder = await mkdtemp(join(tmpdir(), 'bw-recovery-'));
    const env = {
      PATH: process.env['PATH'],
      HOME: folder,
      OPENAI_BASE_URL: simulator.url,
      REDIS_URL: redisUrl,
      BATCHWRIGHT_DATA_DIR: join(folder, 'data'),
    };
    const job = await submit(folder, env);
    const jobFolder = join(folder, 'data/store/local/jobs', job);
    return new TwoWorkers(simulator, env, { folder, job: jobFolder });
  }

  /** Starts the first worker and resolves when it is held in the middle of the step. */
  async holdAt(moment: HeldMoment): Promise<void> {
    const hold = this.#simulator.controls.hold(OPERATIONS[moment], 'before');
    this.#hold = hold;
    this.#workers.push(await this.#startWorker());
    await hold.reached;
  }

  async startSecond(): Promise<void> {
    this.#workers.push(await this.#startWorker());
  }

  /** Ends what the first worker is held by. */
  letGo(): void {
    this.#hold?.release();
    this.#hold = null;
  }

  /** SIGKILL to the one that is held; seconds from then to the next event of what was held. */
  async killHeld(moment: HeldMoment): Promise<number> {
    return this.untilNext(moment, async () => {
      this.#workers[0]?.kill('SIGKILL');
      this.letGo();
    });
  }

  /**
   * Starts both and kills whichever begins to settle or to merge, as its scratch folder says;
   * seconds from then to the event. Null where the step was over before the signal came.
   */
  async killSeen(moment: SeenMoment): Promise<number | null> {
    const scratch = join(this.#paths.folder, 'data/scratch');
    await mkdir(scratch, { recursive: true });
    const seen = Promise.withResolvers<string>();
    const watcher = watch(scratch, (_event, name) => {
      if (name?.startsWith(`${moment}.`)) seen.resolve(name);
    });
    try {
      this.#workers.push(await this.#startWorker(), await this.#startWorker());
      const pid = Number(/\.[0-9a-f]{8}-(\d+)-/.exec(await seen.promise)?.[1]);
      return await this.#killIn(moment, pid);
    } finally {
      watcher.close();
    }
  }

  async #killIn(moment: SeenMoment, pid: number): Promise<number | null> {
    const victim = this.#workers.find((worker) => worker.pid === pid);
    const stream = this.#streamOf(moment);
    const before = (await namesIn(stream)).length;
    victim?.kill('SIGKILL');
    const startMs = performance.now();
    await once(victim ?? process, 'exit');
    if ((await namesIn(stream)).length > before) return null;
    await eventually(async () => (await namesIn(stream)).length > before);
    return (performance.now() - startMs) / 1_000;
  }

  /** Seconds from the end of the work to the next event of what was held at the moment. */
  async untilNext(moment: Moment, work: () => Promise<void>): Promise<number> {
    const stream = this.#streamOf(moment);
    const before = (await namesIn(stream)).length;
    await work();
    const startMs = performance.now();
    await eventually(async () => (await namesIn(stream)).length > before);
    return (performance.now() - startMs) / 1_000;
  }

  #streamOf(moment: Moment): string {
    const isJobs = moment === 'merge' || moment === 'clean';
    return join(this.#paths.job, 'journal', isJobs ? 'job' : 'c000000');
  }

  async close(): Promise<void> {
    this.letGo();
    for (const worker of this.#workers) {
      if (worker.exitCode === null && worker.signalCode === null) {
        worker.kill('SIGKILL');
        await once(worker, 'exit');
      }
    }
    await this.#simulator.close();
    await rm(this.#paths.folder, { recursive: true, force: true, maxRetries: 3 });
  }

  async #startWorker(): Promise<ChildProcess> {
    const worker = spawn(process.execPath, [WORKER], { env: this.#env, stdio: 'pipe' });
    let said = '';
    worker.stderr?.setEncoding('utf8').on('data', (text: string) => (said += text));
    await eventually(async () => {
      if (worker.exitCode !== null) throw new Error(`a worker did not start: ${said}`);
      return said.includes('worker for');
    });
    return worker;
  }
}

/** Submits a chunk without working on it. Resolves to the job's id. */
async function submit(folder: string, env: NodeJS.ProcessEnv): Promise<string> {
  const input = join(folder, 'in.jsonl');
  const lines = Array.from({ length: REQUESTS }, (_, index) => requestLine(`r-${index}`));
  await writeFile(input, lines.map((line) => `${line}\n`).join(''));
  const config = loadConfig({}, { env, folder });
  const store = openStore(config);
  try {
    const { name, source } = await openSource(input, store);
    const { job } = await store.jobs.submit({
      name,
      source,
      defaults: { endpoint: null, model: null },
      limits: limitsOf({ maxRequests: REQUESTS, onInvalid: 'skip' }, config),
      onInvalid: 'skip',
      provider: providerIdentity(config),
      completionWindow: '24h',
      options: { maxAttempts: 3, maxErrors: null },
      fresh: false,
      unconfirmed: false,
    });
    return job;
  } finally {
    await store.close();
  }
}

function requestLine(id: string): string {
  const body = { model: 'gpt-4o-mini', messages: [{ role: 'user', content: id }] };
  return JSON.stringify({ custom_id: id, method: 'POST', url: '/v1/chat/completions', body });
}

async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch((): string[] => []);
}

async function eventually(isSo: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error('what was waited for never came');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
