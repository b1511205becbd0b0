import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { judgeInfo } from '../../../src/adapters/redis/inspect.ts';
import { installHint } from '../../../src/adapters/redis/install-hint.ts';
import { openRedis } from '../../../src/adapters/redis/open.ts';
import { startTestRedis, type TestRedis } from '../../support/redis.ts';

let redis: TestRedis;
/** The private server's socket: an operator's server that happens to be reached by a path. */
let address: string;

beforeAll(async () => {
  redis = await startTestRedis();
  address = redis.describe().slice(redis.describe().indexOf('/'));
});
afterAll(() => redis.close());

test('the private server keeps nothing on disk and evicts nothing', async () => {
  const client = redis.connect('producer');
  const settings = await client.config('GET', 'save', 'appendonly', 'maxmemory-policy', 'port');
  expect(settings).toEqual(
    expect.arrayContaining(['save', '', 'appendonly', 'no', 'maxmemory-policy', 'noeviction']),
  );
  expect(await redis.inspect()).toMatchObject({ ok: true, problems: [], warnings: [] });
});

test("the provider's key is not in the environment of the private server", async () => {
  process.env['CANARY_KEY'] = 'sk-canary-of-the-environment';
  const other = await startTestRedis();
  try {
    const environment = await readFile(`/proc/${other.serverPid()}/environ`, 'utf8');
    expect(environment).not.toContain('canary');
  } finally {
    delete process.env['CANARY_KEY'];
    await other.close();
  }
});

test('closing ends the private server', async () => {
  const other = await startTestRedis();
  const pid = other.serverPid() ?? 0;
  expect(process.kill(pid, 0)).toBe(true);
  await other.close();
  expect(() => process.kill(pid, 0)).toThrow(/ESRCH/);
});

test("an operator's server is used, its missing append-only file is told", async () => {
  const lines: string[] = [];
  const log = (line: string): void => void lines.push(line);
  const handle = await openRedis({ ...redis.settings, url: address, log });
  const client = handle.connect('producer');
  expect(await client.ping()).toBe('PONG');
  expect(handle.serverPid()).toBeNull();
  expect(lines).toEqual([expect.stringMatching(/append-only/)]);
  await handle.close();
  expect(await redis.connect('producer').ping()).toBe('PONG');
});

test("an operator's server that may evict is refused with the way out", async () => {
  const client = redis.connect('producer');
  await client.config('SET', 'maxmemory-policy', 'allkeys-lru');
  try {
    await expect(openRedis({ ...redis.settings, url: address })).rejects.toMatchObject({
      name: 'Refusal',
      code: 'configuration',
      message: expect.stringMatching(/allkeys-lru.*noeviction/),
    });
  } finally {
    await client.config('SET', 'maxmemory-policy', 'noeviction');
  }
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

test("an operator's server that forbids INFO is refused, over TCP, with a password", async () => {
  const admin = redis.connect('producer');
  const port = await freePort();
  await admin.config('SET', 'port', String(port));
  const url = `redis://limited:hunter2@127.0.0.1:${port}`;
  const open = () => openRedis({ ...redis.settings, url, log: () => undefined });
  await admin.call('ACL', 'SETUSER', 'limited', 'on', '>hunter2', '~*', '+@all', '-info');
  await expect(open()).rejects.toMatchObject({
    code: 'configuration',
    message: expect.stringMatching(/forbids INFO/),
  });
  await admin.call('ACL', 'SETUSER', 'limited', '+info');
  const handle = await open();
  expect(await handle.connect('worker').call('ACL', 'WHOAMI')).toBe('limited');
  expect(handle.describe()).toBe(`Redis at redis://127.0.0.1:${port}`);
  await handle.close();
});

test('a server that is not there is refused with its address, without its password', async () => {
  const port = await freePort();
  const url = `redis://user:hunter2@127.0.0.1:${port}/3`;
  const lines: string[] = [];
  const log = (line: string): void => void lines.push(line);
  const refused = openRedis({ ...redis.settings, url, log, openTimeoutMs: 300 });
  const message = await refused.then(String, (error: Error) => error.message);
  expect(message).toContain(`redis://127.0.0.1:${port}/3 does not answer`);
  expect(message + lines.join()).not.toContain('hunter2');
});

test('a server program that cannot be run is refused by name', async () => {
  const serverBin = join(redis.settings.runtimeDir, 'no-such-program');
  const dataDir = join(redis.settings.dataDir, 'other');
  await expect(openRedis({ ...redis.settings, dataDir, serverBin })).rejects.toMatchObject({
    code: 'configuration',
    message: expect.stringContaining(serverBin),
  });
});

test('a program that is no Redis fails with its own words and leaves no file', async () => {
  const dataDir = join(redis.settings.dataDir, 'third');
  const runtimeDir = `${redis.settings.runtimeDir}3`;
  const opening = openRedis({ ...redis.settings, dataDir, runtimeDir, serverBin: '/bin/ls' });
  await expect(opening).rejects.toThrow(/^\/bin\/ls did not start: Try/);
  expect(await readdir(runtimeDir)).toEqual([]);
});

test('a runtime directory that is too long for a socket is refused', async () => {
  const runtimeDir = join(redis.settings.runtimeDir, 'x'.repeat(90));
  await expect(openRedis({ ...redis.settings, runtimeDir })).rejects.toMatchObject({
    code: 'configuration',
    message: expect.stringMatching(/too long/),
  });
});

test('what INFO does not say is a warning, not a problem', () => {
  expect(judgeInfo('# Server\r\nredis_version:7.0.15\r\n')).toMatchObject({
    ok: true,
    problems: [],
    warnings: [expect.stringMatching(/noeviction/)],
  });
  expect(judgeInfo('maxmemory_policy:noeviction\r\naof_enabled:1\r\n')).toMatchObject({
    ok: true,
    problems: [],
    warnings: [],
  });
});

test.each([
  ['linux', 'ID=debian\n', 'apt-get'],
  ['linux', 'NAME="Linux Mint"\nID=linuxmint\nID_LIKE="ubuntu debian"\n', 'apt-get'],
  ['linux', 'ID="rocky"\nID_LIKE="rhel centos fedora"\n', 'dnf'],
  ['linux', 'ID=arch\n', 'pacman'],
  ['linux', 'ID=alpine\n', 'apk'],
  ['linux', '', 'REDIS_URL'],
  ['darwin', '', 'brew'],
  ['win32', '', 'docker compose'],
] as const)('on %s with %j people are told about %s', (platform, osRelease, words) => {
  expect(installHint(platform, osRelease)).toContain(words);
});
