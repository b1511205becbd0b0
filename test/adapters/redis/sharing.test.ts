import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, test } from 'vitest';

import { locateProgram } from '../../../src/adapters/redis/program-path.ts';
import { dialSocket, isGone } from '../../../src/adapters/redis/server-process.ts';

let folder: string;
const clients = new Set<ChildProcess>();

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bw-share-'));
});
afterEach(async () => {
  for (const client of clients) client.kill('SIGKILL');
  clients.clear();
  await rm(folder, { recursive: true, force: true });
});

class Client {
  readonly process: ChildProcess;

  constructor(env: NodeJS.ProcessEnv = process.env) {
    const cacheDir = join(homedir(), '.cache', 'batchwright');
    const [dataDir, runtimeDir] = [join(folder, 'data'), join(folder, 'run')];
    const settings = { url: null, serverBin: null, dataDir, runtimeDir, cacheDir };
    const script = join(import.meta.dirname, 'client-process.ts');
    this.process = fork(script, [JSON.stringify(settings)], { execArgv: [], env });
    clients.add(this.process);
  }

  /** The pid of its own server, or null. */
  async opened(): Promise<number | null> {
    const [message] = (await once(this.process, 'message')) as [{ serverPid: number | null }];
    return message.serverPid;
  }

  async call(...command: string[]): Promise<unknown> {
    this.process.send(command);
    const [message] = (await once(this.process, 'message')) as [{ reply: unknown }];
    return message.reply;
  }

  async end(how: 'close' | NodeJS.Signals): Promise<void> {
    if (how === 'close') this.process.send('close');
    else this.process.kill(how);
    await once(this.process, 'exit');
  }
}

async function opened(env?: NodeJS.ProcessEnv): Promise<[Client, number | null]> {
  const client = new Client(env);
  return [client, await client.opened()];
}

/** Whether every socket of the folder refuses. */
async function noServerListens(): Promise<boolean> {
  const paths = (await readdir(join(folder, 'run'))).map((name) => join(folder, 'run', name));
  const refused = (path: string) => dialSocket(path).then((s) => !s.destroy(), isGone);
  return (await Promise.all(paths.map(refused))).every(Boolean);
}

const WITHIN_SECONDS = { timeout: 5_000, interval: 10 };

test('two processes on one data directory work on one server', async () => {
  const [first, ownPid] = await opened();
  const [second, noPid] = await opened();
  expect(ownPid).toBeGreaterThan(0);
  expect(noPid).toBeNull();
  await first.call('SET', 'key', 'from the first');
  expect(await second.call('GET', 'key')).toBe('from the first');
});

test('many processes that open at once end with one server between them', async () => {
  const started = Array.from({ length: 6 }, () => new Client());
  const pids = await Promise.all(started.map((client) => client.opened()));
  expect(pids.filter((pid) => pid !== null)).toHaveLength(1);
  const counts = await Promise.all(started.map((client) => client.call('INCR', 'n')));
  expect(new Set(counts)).toEqual(new Set([1, 2, 3, 4, 5, 6]));
  const sockets = await readdir(join(folder, 'run'));
  expect(sockets).toHaveLength(1);
});

test.each(['close', 'SIGTERM', 'SIGINT', 'SIGKILL'] as const)(
  'when the owner ends by %s a survivor goes on with the next server',
  async (how) => {
    const [owner] = await opened();
    const [[survivor], [other]] = await Promise.all([opened(), opened()]);
    await survivor.call('SET', 'key', 'lost with the owner');
    await owner.end(how);
    const startMs = performance.now();
    const value = () => survivor.call('GET', 'key');
    await expect.poll(value, WITHIN_SECONDS).toBeNull();
    expect(performance.now() - startMs).toBeLessThan(5_000);
    await survivor.call('SET', 'key', 'new');
    expect(await other.call('GET', 'key')).toBe('new');
    const [late, noPid] = await opened();
    expect(noPid).toBeNull();
    expect(await late.call('GET', 'key')).toBe('new');
  },
);

test.each(['close', 'SIGTERM', 'SIGINT', 'SIGKILL'] as const)(
  'the server ends with its owner by %s though nobody else looks',
  async (how) => {
    const [owner] = await opened();
    await owner.end(how);
    await expect.poll(noServerListens, WITHIN_SECONDS).toBe(true);
  },
);

test.each(['close', 'SIGTERM', 'SIGKILL'] as const)(
  'the server ends with its owner by %s on a system without setpriv',
  async (how) => {
    const bin = join(folder, 'bin');
    await mkdir(bin);
    for (const name of ['redis-server', 'valkey-server', 'apt-get', 'dpkg']) {
      const found = await locateProgram([name]);
      if (found !== null) await symlink(found, join(bin, name));
    }
    const [owner] = await opened({ ...process.env, PATH: bin });
    expect(await owner.call('INCR', 'n')).toBe(1);
    await owner.end(how);
    await expect.poll(noServerListens, WITHIN_SECONDS).toBe(true);
  },
);

test('owner after owner is killed, and the last process still has a server', async () => {
  let [owner] = await opened();
  for (let round = 0; round < 3; round += 1) {
    const [next] = await opened();
    await owner.call('SET', 'round', String(round));
    await owner.end('SIGKILL');
    await expect.poll(() => next.call('GET', 'round'), WITHIN_SECONDS).toBeNull();
    owner = next;
  }
  expect(await readdir(join(folder, 'run'))).toHaveLength(1);
});
