/** A Redis server as an operator runs one: on a port of the loopback, for all cases of a run. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';

import { findServerProgram } from '../../src/adapters/redis/server-program.ts';

export interface SharedRedis {
  readonly url: string;
  close(): Promise<void>;
}

/** Resolves when it accepts connections. */
export async function startSharedRedis(): Promise<SharedRedis> {
  const folder = await mkdtemp(join(tmpdir(), 'bw-crash-redis-'));
  const cacheDir = join(homedir(), '.cache', 'batchwright');
  const program = await findServerProgram({ serverBin: null, cacheDir, log: () => undefined });
  const port = await freePort();
  const settings = {
    '--port': String(port),
    '--bind': '127.0.0.1',
    '--save': '',
    '--appendonly': 'no',
    '--maxmemory-policy': 'noeviction',
    '--dir': folder,
  };
  const server = spawn(program.path, Object.entries(settings).flat(), {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: program.libraryPath === null ? {} : { LD_LIBRARY_PATH: program.libraryPath },
  });
  process.once('exit', () => server.kill('SIGKILL'));
  await untilItSays(server.stdout, 'Ready to accept connections');
  return {
    url: `redis://127.0.0.1:${port}`,
    close: async () => {
      server.kill('SIGTERM');
      await once(server, 'exit');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function untilItSays(output: NodeJS.ReadableStream, words: string): Promise<void> {
  let text = '';
  for await (const chunk of output) {
    text += String(chunk);
    if (text.includes(words)) break;
  }
  if (!text.includes(words)) throw new Error(`the Redis server did not start: ${text}`);
  output.resume();
}
