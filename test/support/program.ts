/** The real program in processes of its own, with folders of its own. */

import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';

const PROGRAM = process.env['E2E_PROGRAM'] ?? join(import.meta.dirname, '../../src/cli/main.ts');

/** Short waits, so that what takes minutes at a provider takes moments here. */
const HASTE = {
  BATCHWRIGHT_POLL_INTERVAL_MS: '100',
  BATCHWRIGHT_ATTEMPT_PAUSE_MS: '200',
  BATCHWRIGHT_RETRY_BASE_MS: '50',
  BATCHWRIGHT_RETRY_MAX_MS: '200',
  BATCHWRIGHT_SWEEP_INTERVAL_MS: '500',
  BATCHWRIGHT_CREATE_SETTLE_MS: '1500',
};

/** How long a program may take to say or do what a test waits for. */
const PATIENCE_MS = 60_000;

export interface Ended {
  /** Null where a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A program that runs. */
export interface Running {
  readonly pid: number;
  /** Resolves when it has ended and all it said has arrived. */
  readonly ended: Promise<Ended>;
  /** What it has said on stderr so far. */
  stderr(): string;
  signal(signal: NodeJS.Signals): void;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** Resolves when it has said this on stderr. Rejects where it ends, or takes long, without. */
  says(pattern: RegExp): Promise<void>;
}

/** What tests look at in a stream's last state. */
export interface StreamState {
  readonly status: string;
  /** Why a chunk waits, where it does. */
  readonly reason?: string;
}

/** Folders of one test: the program's working, data and runtime folder, its input and output. */
export interface Place {
  readonly folder: string;
  readonly dataDir: string;
  readonly runtimeDir: string;
  readonly inputPath: string;
  readonly outputPath: string;
  /** Starts the program; `env` goes over the place's own. */
  start(args: readonly string[], env?: NodeJS.ProcessEnv, stdin?: Uint8Array): Running;
  /** Runs the program to its end. */
  command(args: readonly string[], env?: NodeJS.ProcessEnv, stdin?: Uint8Array): Promise<Ended>;
  /** `run` over the place's input and output. */
  runArgs(...more: string[]): string[];
  writeInput(content: string | Uint8Array): Promise<void>;
  /** sha256 of the output. */
  outputSha256(): Promise<string>;
  /** The last state of each stream of the place's only job, by name: `job`, `c000000` … */
  states(): Promise<Map<string, StreamState>>;
  /** The folder of the place's only job in the store. */
  jobFolder(): Promise<string>;
}

/** A place that somebody has to clear away. */
export interface OwnedPlace extends Place {
  /** Kills what still runs there, and removes the folders. */
  clear(): Promise<void>;
}

/**
 * Makes the folders. Nothing of the user's environment is handed on but what finds programs and
 * the cached Redis; `env` goes over what the place itself sets.
 */
export async function makePlace(baseUrl: string, env: NodeJS.ProcessEnv = {}): Promise<OwnedPlace> {
  const folder = await mkdtemp(join(tmpdir(), 'bw-e2e-'));
  const running = new Set<Running>();
  const dataDir = join(folder, 'data');
  const runtimeDir = join(folder, 'run');
  const inputPath = join(folder, 'in.jsonl');
  const outputPath = join(folder, 'out.jsonl');
  const own = {
    ...HASTE,
    PATH: process.env['PATH'],
    HOME: folder,
    OPENAI_BASE_URL: baseUrl,
    BATCHWRIGHT_DATA_DIR: dataDir,
    BATCHWRIGHT_RUNTIME_DIR: runtimeDir,
    BATCHWRIGHT_CACHE_DIR: join(homedir(), '.cache', 'batchwright'),
    ...env,
  };
  const start: Place['start'] = (args, more = {}, stdin) => {
    const child = spawn(process.execPath, [PROGRAM, ...args], {
      cwd: folder,
      env: { ...own, ...more },
      stdio: 'pipe',
    });
    child.stdin.on('error', () => undefined);
    child.stdin.end(stdin);
    const program = follow(child);
    running.add(program);
    void program.ended.then(() => running.delete(program));
    return program;
  };
  return {
    folder,
    dataDir,
    runtimeDir,
    inputPath,
    outputPath,
    start,
    command: (args, more, stdin) => start(args, more, stdin).ended,
    runArgs: (...more) => ['run', inputPath, '-o', outputPath, ...more],
    writeInput: (content) => writeFile(inputPath, content),
    outputSha256: async () => sha256(await readFile(outputPath)),
    states: () => statesIn(dataDir),
    jobFolder: () => onlyJob(dataDir),
    clear: async () => {
      await Promise.all([...running].map((one) => one.kill()));
      await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Tries until the work resolves; rejects with its last error after a while. */
export async function eventually<Value>(work: () => Promise<Value> | Value): Promise<Value> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function follow(child: ChildProcess): Running {
  let stdout = '';
  let stderr = '';
  const listeners = new Set<() => void>();
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    for (const listener of listeners) listener();
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
  return {
    pid: child.pid ?? 0,
    ended,
    stderr: () => stderr,
    signal: (signal) => void child.kill(signal),
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
    says: (pattern) =>
      new Promise((resolve, reject) => {
        const fail = (why: string): void => reject(new Error(`${why}, not ${pattern}:\n${stderr}`));
        const timer = setTimeout(() => fail('it said'), PATIENCE_MS);
        const look = (): void => {
          if (!pattern.test(stderr)) return;
          clearTimeout(timer);
          listeners.delete(look);
          resolve();
        };
        listeners.add(look);
        void ended.then(() => fail('it ended with'));
        look();
      }),
  };
}

async function onlyJob(dataDir: string): Promise<string> {
  const jobs = join(dataDir, 'store/local/jobs');
  const [first, ...others] = await readdir(jobs);
  if (first === undefined || others.length > 0) throw new Error(`not one job in ${jobs}`);
  return join(jobs, first);
}

async function statesIn(dataDir: string): Promise<Map<string, StreamState>> {
  const journal = join(await onlyJob(dataDir), 'journal');
  const states = new Map<string, StreamState>();
  for (const stream of await readdir(journal)) {
    const versions = (await readdir(join(journal, stream))).filter((name) => !name.startsWith('.'));
    const last = versions.toSorted((a, b) => Number.parseInt(a) - Number.parseInt(b)).at(-1);
    if (last === undefined) continue;
    const entry = JSON.parse(await readFile(join(journal, stream, last), 'utf8'));
    states.set(stream, entry.state);
  }
  return states;
}
