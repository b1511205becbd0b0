/** What is fuzzed: the real program in a process of its own, over a simulated provider. */

import { readFile } from 'node:fs/promises';

import { startSimulator } from '../../src/simulator/simulator.ts';
import { makePlace } from '../support/program.ts';
import type { TableRoute } from './routes.ts';
import { readRoutes } from './routes.ts';

export interface Target {
  readonly port: number;
  readonly routes: readonly TableRoute[];
  /** Keys that open: the first two are tenants', the last one an administrator's. */
  readonly keys: readonly string[];
  /** Resolves when the program has ended, which it should not. */
  readonly ended: Promise<{ readonly code: number | null; readonly stderr: string }>;
  /** The most memory that it had resident at once, in bytes. */
  peakBytes(): Promise<number>;
  /** What it wrote down as broken, at most so many characters. */
  stderr(): string;
  close(): Promise<void>;
}

/** No limits of time: what is asked for is thousands of calls a second, many of them wrong. */
const ENV = {
  BATCHWRIGHT_CALLS_PER_MINUTE: '0',
  BATCHWRIGHT_WRONG_KEYS_PER_MINUTE: '1000000000',
  BATCHWRIGHT_UPLOADS_AT_ONCE: '1000',
  BATCHWRIGHT_MIN_FREE_BYTES: '1000000',
  // Else a length that is only announced would be beyond this machine's disk, and answered 507.
  BATCHWRIGHT_MAX_UPLOAD_BYTES: '1000000000',
  BATCHWRIGHT_LOG_LEVEL: 'warn',
  BATCHWRIGHT_PORT: '0',
};

export async function openTarget(): Promise<Target> {
  const simulator = await startSimulator({ seed: 1, timeFactor: 3_600 });
  const place = await makePlace(simulator.url, ENV);
  const createKey = async (...flags: string[]): Promise<string> => {
    const { code, stdout, stderr } = await place.command(['keys', 'create', ...flags]);
    if (code !== 0) throw new Error(stderr);
    return stdout.trim();
  };
  const keys = [
    await createKey('--tenant', 'acme'),
    await createKey('--tenant', 'umbrella'),
    await createKey('--tenant', 'ops', '--admin'),
  ];
  const program = place.start(['serve']);
  await program.says(/listens at/);
  const port = Number(/listens at http:\/\/127\.0\.0\.1:(\d+)/.exec(program.stderr())?.[1]);
  return {
    port,
    keys,
    routes: await readRoutes(port),
    ended: program.ended,
    stderr: () => program.stderr().slice(-4_000),
    peakBytes: async () => {
      const status = await readFile(`/proc/${program.pid}/status`, 'utf8');
      return Number(/VmHWM:\s*(\d+) kB/.exec(status)?.[1]) * 1024;
    },
    close: async () => {
      await place.clear();
      await simulator.close();
    },
  };
}
