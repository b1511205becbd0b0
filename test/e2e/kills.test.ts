/**
 * kill -9 in the middle of each stage, then the same command: the same result, and nothing paid
 * twice. Every moment is held by a latch, never hit by timing: a gate or a fault of the
 * simulator, or a pipe in the place of a file that only this stage opens.
 */

import { execFile } from 'node:child_process';
import { watch } from 'node:fs';
import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { expect, test } from 'vitest';

import { trap } from '../support/command.ts';
import { eventually, type Place } from '../support/program.ts';
import { expectPaidOnce, mixedLines } from '../support/sets.ts';
import { openScene, type Scene } from './scene.ts';

const REQUESTS = 120;

/** One bad line in the middle, so that settling also reads what was rejected. */
const LINES = mixedLines(REQUESTS).toSpliced(50, 0, '{"custom_id":"bad"}');
const OPTIONS = ['--max-requests', '40', '--on-invalid', 'skip'];
const EXIT_FAILED_LINES = 3;

/** Scenes that are tried for a moment without a latch. */
const MAX_TRIES = 5;

/** sha256 of the result of a run that nothing disturbed; made once. */
let undisturbed: Promise<string> | null = null;

test('a kill while planning is made good by the same command', async () => {
  const { place, simulator } = await openScene(LINES);
  // The input is read once for its hash; it becomes a pipe before it is read for the plan.
  const shim = await slowStart(place);
  const run = place.start(place.runArgs(...OPTIONS), { PATH: shim.path });
  await shim.reached();
  const input = await trap(place.inputPath);
  await shim.letGo();
  await input.caught();
  expect((await place.states()).get('job')?.status).toBe('created');
  await run.kill();
  await input.restore();
  await finish({ place, simulator });
});

for (const [words, operation, moment] of [
  ['in the middle of an upload', 'upload', 'before'],
  ['between an upload and the record of it', 'upload', 'after'],
  ['when a create has left and not arrived', 'create', 'before'],
  ['when a batch is made and its answer is not read', 'create', 'after'],
  ['while polling', 'retrieve', 'before'],
  ['before a download', 'download', 'before'],
  ['while files are deleted at the end', 'file_delete', 'before'],
] as const) {
  test(`a kill ${words} is made good by the same command`, async () => {
    const scene = await openScene(LINES);
    const { place, simulator } = scene;
    const hold = simulator.controls.hold(operation, moment);
    const run = place.start(place.runArgs(...OPTIONS));
    await hold.reached;
    await run.kill();
    hold.release();
    await finish(scene);
  });
}

test('a kill between an upload and its create is made good by the same command', async () => {
  const scene = await openScene(LINES);
  const { place, simulator } = scene;
  simulator.controls.setFault({ name: 'create_rate_limit_429', retryAfterSeconds: 60 });
  // One slot: no other chunk is in the middle of its upload.
  const run = place.start(place.runArgs(...OPTIONS, '--max-live-batches', '1'));
  await eventually(async () => {
    const reasons = [...(await place.states()).values()].map(({ reason }) => reason);
    expect(reasons).toContain('rate limit');
  });
  await run.kill();
  simulator.controls.clearFaults();
  await finish(scene);
  expect(simulator.ledger.totals().filesUploaded).toBe(3);
});

test('a kill during a create that never comes to anything is made good', async () => {
  const scene = await openScene(LINES);
  const { place, simulator } = scene;
  simulator.controls.setFault({ name: 'create_hang' });
  const run = place.start(place.runArgs(...OPTIONS));
  await simulator.controls.until('fault_fired', ({ name }) => name === 'create_hang');
  await run.kill();
  simulator.controls.clearFaults();
  await finish(scene);
});

test('a kill in the middle of a download is made good by the same command', async () => {
  const scene = await openScene(LINES);
  const { place, simulator } = scene;
  simulator.controls.setFault({ name: 'download_stalls' });
  const run = place.start(place.runArgs(...OPTIONS));
  await simulator.controls.until('fault_fired', ({ name }) => name === 'download_stalls');
  await run.kill();
  simulator.controls.clearFaults();
  await finish(scene);
});

for (const [words, label] of [
  ['settling', 'settle'],
  ['merging', 'merge'],
] as const) {
  test(`a kill in the middle of ${words} is made good by the same command`, async () => {
    const scene = await killedInSight(({ place }) => join(place.dataDir, 'scratch'), label);
    await finish(scene);
  });
}

test('a kill in the middle of delivering leaves no torn result behind', async () => {
  const scene = await killedInSight(({ place }) => place.folder, 'out.jsonl.');
  const { place } = scene;
  const torn = (await readdir(place.folder)).includes('out.jsonl')
    ? await place.outputSha256()
    : null;
  await finish(scene);
  expect([null, await place.outputSha256()]).toContain(torn);
});

/**
 * A scene whose program was killed while an entry with this prefix stood in a folder: its stage
 * makes it at its beginning and removes it at its end, so that its presence after the kill proves
 * that the kill came in between. Where it came late, another scene is tried.
 */
async function killedInSight(folderOf: (scene: Scene) => string, prefix: string): Promise<Scene> {
  for (let tries = 1; tries <= MAX_TRIES; tries += 1) {
    const scene = await openScene(LINES);
    const folder = folderOf(scene);
    await mkdir(folder, { recursive: true });
    const run = scene.place.start(scene.place.runArgs(...OPTIONS));
    const watcher = watch(folder, (_event, name) => {
      if (name?.startsWith(prefix)) run.signal('SIGKILL');
    });
    await run.ended;
    watcher.close();
    if ((await readdir(folder)).some((name) => name.startsWith(prefix))) return scene;
  }
  throw new Error(`no kill came while ${prefix} was there`);
}

/** The same command again, and everything that must be true then. */
async function finish({ place, simulator }: Scene): Promise<void> {
  const ended = await place.command(place.runArgs(...OPTIONS));
  expect(ended.code, ended.stderr).toBe(EXIT_FAILED_LINES);
  expect(await place.outputSha256()).toBe(await (undisturbed ??= runUndisturbed()));
  expectPaidOnce(simulator, REQUESTS);
  expect(simulator.controls.files(), 'files left at the provider').toEqual([]);
  expect((await place.states()).get('job')?.status).toBe('done');
  expect(await readdir(join(place.dataDir, 'scratch'))).toEqual([]);
}

async function runUndisturbed(): Promise<string> {
  const { place, simulator } = await openScene(LINES);
  const ended = await place.command(place.runArgs(...OPTIONS));
  expect(ended.code, ended.stderr).toBe(EXIT_FAILED_LINES);
  expectPaidOnce(simulator, REQUESTS);
  return place.outputSha256();
}

/** Stops the program where it starts its Redis: after the input is hashed, before the plan. */
async function slowStart(place: Place) {
  const folder = join(place.folder, 'bin');
  await mkdir(folder);
  const [reached, open] = [join(folder, 'reached'), join(folder, 'open')];
  const script = `#!/bin/sh\n: > ${reached}\nwhile [ ! -e ${open} ]; do sleep 0.02; done\nexec`;
  await writeFile(join(folder, 'setpriv'), `${script} ${await setpriv()} "$@"\n`);
  await chmod(join(folder, 'setpriv'), 0o755);
  return {
    path: `${folder}:${process.env['PATH']}`,
    reached: () => eventually(async () => expect(await readdir(folder)).toContain('reached')),
    letGo: () => writeFile(open, ''),
  };
}

async function setpriv(): Promise<string> {
  const { stdout } = await promisify(execFile)('/bin/sh', ['-c', 'command -v setpriv']);
  return stdout.trim();
}
