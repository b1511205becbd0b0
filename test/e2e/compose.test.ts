/**
 * The services of docker-compose.yml without Docker: the same commands, environments and health
 * checks, with addresses and folders of this machine in the place of the containers' own.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

import { expect, onTestFinished, test } from 'vitest';

import { findServerProgram } from '../../src/adapters/redis/server-program.ts';
import { freePort } from '../outages/own-redis.ts';
import { type ComposeService, readComposeFile, serviceOf } from '../support/compose-file.ts';
import { Fleet } from '../support/fleet.ts';
import { eventually, type Place, type Running, sha256 } from '../support/program.ts';
import {
  asInput,
  expectAnswered,
  expectPaidOnce,
  mixedLines,
  resultLines,
} from '../support/sets.ts';
import { openScene } from './scene.ts';

const REQUESTS = 120;
const LINES = mixedLines(REQUESTS);

const file = readComposeFile();

test('the services start, run a job over HTTP, and leave when they are asked to', async () => {
  const { place, simulator } = await openScene([]);
  const redisPort = await freePort();
  const apiPort = await freePort();
  const outside = new Map([
    ['redis://redis:6379', `redis://127.0.0.1:${redisPort}`],
    ['0.0.0.0', '127.0.0.1'],
    ['8080', String(apiPort)],
    ['/data', place.dataDir],
  ]);
  const redis = await startRedis(serviceOf(file, 'redis'), place, redisPort);

  const command = serviceOf(file, 'batchwright');
  const keys = ['keys', 'create', '--tenant', 'me'];
  const made = await place.command(keys, environmentOf(command, outside));
  expect(made.code, made.stderr).toBe(0);

  const api = start('api', place, outside);
  await healthy('api', outside, api);
  const workers = await Promise.all(
    [await freePort(), await freePort()].map(async (port) => {
      // Each container has its own port 8081.
      const own = new Map([...outside, ['8081', String(port)]]);
      const worker = start('worker', place, own);
      await healthy('worker', own, worker);
      return worker;
    }),
  );

  const fleet = Fleet.at({ place, simulator }, apiPort, made.stdout.trim());
  const job = await fleet.submit(asInput(LINES), '?max_requests=10');
  const shown = await fleet.untilOver(job);
  expect(shown).toMatchObject({ status: 'completed', counts: { succeeded: REQUESTS } });
  const result = await fleet.result(job);
  expectAnswered(resultLines(String(result)), LINES);
  expect(sha256(result)).toBe(shown.result?.sha256);
  expectPaidOnce(simulator, REQUESTS);

  for (const program of [api, ...workers]) program.signal('SIGTERM');
  for (const { code, stderr } of await Promise.all([api, ...workers].map(({ ended }) => ended))) {
    expect(code, stderr).toBe(0);
  }
  redis.kill('SIGTERM');
  expect(await once(redis, 'close')).toEqual([0, null]);
});

/** What a container's text is on this machine. */
function translated(text: string, outside: ReadonlyMap<string, string>): string {
  const known = [...outside].find(([inside]) => text.includes(inside));
  return known === undefined ? text : text.replaceAll(known[0], known[1]);
}

function environmentOf(
  { environment = {} }: ComposeService,
  outside: ReadonlyMap<string, string>,
): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(environment).map(([name, value]) => [name, translated(value, outside)]),
  );
}

function start(name: string, place: Place, outside: ReadonlyMap<string, string>): Running {
  const service = serviceOf(file, name);
  return place.start(service.command ?? [], environmentOf(service, outside));
}

/** Asks as Compose would until the answer is that it is well. */
async function healthy(
  name: string,
  outside: ReadonlyMap<string, string>,
  running: Running,
): Promise<void> {
  const [how, program, ...args] = serviceOf(file, name).healthcheck?.test ?? [];
  expect([how, program]).toEqual(['CMD', 'node']);
  const translatedArgs = args.map((text) => translated(text, outside));
  const isWell = eventually(async () => {
    const probe = spawn(process.execPath, translatedArgs, { stdio: 'ignore' });
    expect(await once(probe, 'close')).toEqual([0, null]);
  });
  const died = running.ended.then(({ stderr }) => {
    throw new Error(`${name} ended: ${stderr}`);
  });
  await Promise.race([isWell, died]);
}

async function startRedis(
  { command = [] }: ComposeService,
  place: Place,
  port: number,
): Promise<ChildProcess> {
  const [program, ...args] = command;
  expect(program).toBe('redis-server');
  const cacheDir = join(homedir(), '.cache', 'batchwright');
  const found = await findServerProgram({ serverBin: null, cacheDir, log: () => undefined });
  const folder = join(place.folder, 'redis');
  await mkdir(folder);
  const own = ['--bind', '127.0.0.1', '--port', String(port), '--dir', folder];
  const redis = spawn(found.path, [...args, ...own], {
    stdio: 'ignore',
    env: found.libraryPath === null ? {} : { LD_LIBRARY_PATH: found.libraryPath },
  });
  onTestFinished(() => void redis.kill('SIGKILL'));
  return redis;
}
