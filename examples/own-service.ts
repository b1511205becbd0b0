/**
 * A service for the examples: the real program, on a simulated provider, in a folder that goes
 * with it. Elsewhere somebody runs `batchwright serve`, and there is only its address.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { startSimulator } from '../src/simulator/simulator.ts';

const PROGRAM = join(import.meta.dirname, '..', 'src', 'cli', 'main.ts');

export interface OwnService {
  /** Without a slash at its end. */
  readonly url: string;
  close(): Promise<void>;
}

/** `env` goes over the settings of the service. */
export async function startOwnService(env: Record<string, string> = {}): Promise<OwnService> {
  const folder = await mkdtemp(join(tmpdir(), 'batchwright-example-'));
  const simulator = await startSimulator({ seed: 7, flakiness: { permanentRate: 0.02 } });
  const program = spawn(process.execPath, [PROGRAM, 'serve', '--port', '0'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    cwd: folder,
    env: {
      ...process.env,
      OPENAI_BASE_URL: simulator.url,
      BATCHWRIGHT_DATA_DIR: join(folder, 'data'),
      BATCHWRIGHT_POLL_INTERVAL_MS: '100',
      ...env,
    },
  });
  const ended = once(program, 'exit');
  const url = await addressOf(createInterface({ input: program.stderr }));
  return {
    url,
    close: async () => {
      program.kill('SIGTERM');
      await ended;
      await simulator.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** What the program says on stderr when it listens. Rejects where it ends before. */
async function addressOf(lines: AsyncIterable<string>): Promise<string> {
  const said: string[] = [];
  for await (const line of lines) {
    const [, url] = /listens at (\S+)/.exec(line) ?? [];
    if (url !== undefined) return url;
    said.push(line);
  }
  throw new Error(`The service did not start:\n${said.join('\n')}`);
}
