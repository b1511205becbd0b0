/**
 * kill -9 in the middle of each stage, then the same command: the same result, and nothing paid
 * twice. Every moment is held by a latch, never hit by timing: a gate or a fault of the
 * simulator, or a pipe in the place of a file that only this stage opens.
 */

import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { beforeAll, expect, onTestFinished, test } from 'vitest';

import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { eventually, openPlace, type Place, trap } from '../support/command.ts';
import { asInput, expectPaidOnce, mixedLines } from '../support/sets.ts';

const REQUESTS = 120;

/** One bad line in the middle, so that settling also reads what was rejected. */
const LINES = mixedLines(REQUESTS).toSpliced(50, 0, '{"custom_id":"bad"}');
const OPTIONS = ['--max-requests', '40', '--on-invalid', 'skip'];
const EXIT_FAILED_LINES = 3;

interface Scene {
  readonly place: Place;
  readonly simulator: Simulator;
}

/** Of a run that nothing disturbed. */
let expectedSha256 = '';

beforeAll(async () => {
  const { place, simulator } = await openScene();
  expect((await place.command(place.runArgs(...OPTIONS))).code).toBe(EXIT_FAILED_LINES);
  expectPaidOnce(simulator, REQUESTS);
  expectedSha256 = await place.outputSha256();
});

test('a kill while planning is made good by the same command', async () => {
  const { place, simulator } = await openScene();
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
    const scene = await openScene();
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
  const scene = await openScene();
  const { place, simulator } = scene;
  simulator.controls.setFault({ name: 'create_rate_limit_429', retryAfterSeconds: 60 });
  const run = place.start(place.runArgs(...OPTIONS));
  await eventually(async () => {
    const states = [...(await place.states()).values()].map(({ status }) => status);
    expect(states.filter((status) => status === 'uploaded')).toHaveLength(4);
  });
  await run.kill();
  simulator.controls.clearFaults();
  await finish(scene);
  expect(simulator.ledger.totals().filesUploaded).toBe(4);
});

test('a kill during a create that never comes to anything is made good', async () => {
  const scene = await openScene();
  const { place, simulator } = scene;
  simulator.controls.setFault({ name: 'create_hang' });
  const run = place.start(place.runArgs(...OPTIONS));
  await simulator.controls.until('fault_fired', ({ name }) => name === 'create_hang');
  await run.kill();
  simulator.controls.clearFaults();
  await finish(scene);
});

test('a kill in the middle of a download is made good by the same command', async () => {
  const scene = await openScene();
  const { place, simulator } = scene;
  simulator.controls.setFault({ name: 'download_stalls' });
  const run = place.start(place.runArgs(...OPTIONS));
  await simulator.controls.until('fault_fired', ({ name }) => name === 'download_stalls');
  await run.kill();
  simulator.controls.clearFaults();
  await finish(scene);
});

test('a kill in the middle of settling is made good by the same command', async () => {
  const scene = await openScene();
  const { place, simulator } = scene;
  const hold = simulator.controls.hold('upload', 'before');
  const run = place.start(place.runArgs(...OPTIONS));
  await hold.reached;
  const rejected = await trap(await chunkFileOf(place, 'rejected.jsonl'));
  hold.release();
  await rejected.caught();
  await run.kill();
  await rejected.restore();
  await finish(scene);
});

test('a kill in the middle of merging is made good by the same command', async () => {
  const scene = await openScene();
  const { place, simulator } = scene;
  simulator.controls.setFault({ name: 'stuck_finalizing', match: 'c000001' });
  const run = place.start(place.runArgs(...OPTIONS));
  // One chunk is settled and another is not, so the merge cannot have begun.
  await eventually(async () => {
    expect(await readdir(join(await place.jobFolder(), 'settled'))).toContain('c000000.json');
  });
  const part = await trap(join(await place.jobFolder(), 'chunks/c000000/part.jsonl'));
  simulator.controls.clearFaults();
  await part.caught();
  expect((await place.states()).get('job')?.status).toBe('planned');
  await run.kill();
  await part.restore();
  await finish(scene);
});

test('a kill in the middle of delivering leaves no torn result behind', async () => {
  const scene = await openScene();
  const { place } = scene;
  await place.command(['run', place.inputPath, '-o', join(place.folder, 'other'), ...OPTIONS]);
  const result = await trap(join(await place.jobFolder(), 'result.jsonl'));
  const run = place.start(place.runArgs(...OPTIONS));
  await result.caught();
  await run.kill();
  await result.restore();
  expect(await readdir(place.folder)).not.toContain('out.jsonl');
  await finish(scene);
});

async function openScene(): Promise<Scene> {
  const simulator = await startSimulator({ seed: 5, timeFactor: 3_600 });
  onTestFinished(() => simulator.close());
  const place = await openPlace(simulator.url);
  await place.writeInput(asInput(LINES));
  return { place, simulator };
}

/** The same command again, and everything that must be true then. */
async function finish({ place, simulator }: Scene): Promise<void> {
  const ended = await place.command(place.runArgs(...OPTIONS));
  expect(ended.code, ended.stderr).toBe(EXIT_FAILED_LINES);
  expect(await place.outputSha256()).toBe(expectedSha256);
  expectPaidOnce(simulator, REQUESTS);
  expect(simulator.controls.files(), 'files left at the provider').toEqual([]);
  expect((await place.states()).get('job')?.status).toBe('done');
  expect(await readdir(join(place.dataDir, 'scratch'))).toEqual([]);
}

/** The file of the one chunk that has it. */
async function chunkFileOf(place: Place, name: string): Promise<string> {
  const chunks = join(await place.jobFolder(), 'chunks');
  for (const chunk of await readdir(chunks)) {
    const files = await readdir(join(chunks, chunk));
    if (files.includes(name)) return join(chunks, chunk, name);
  }
  throw new Error(`no chunk has ${name}`);
}

/** Stops the program where it starts its Redis: after the input is hashed, before the plan. */
async function slowStart(place: Place) {
  const folder = join(place.folder, 'bin');
  await mkdir(folder);
  const [reached, open] = [join(folder, 'reached'), join(folder, 'open')];
  const script =
    `#!/bin/sh\n: > ${reached}\nwhile [ ! -e ${open} ]; do sleep 0.02; done\n` +
    'while [ "$1" != "${1#-}" ] || [ "$1" = TERM ]; do shift; done\nexec "$@"\n';
  await writeFile(join(folder, 'setpriv'), script);
  await chmod(join(folder, 'setpriv'), 0o755);
  return {
    path: `${folder}:${process.env['PATH']}`,
    reached: () => eventually(async () => expect(await readdir(folder)).toContain('reached')),
    letGo: () => writeFile(open, ''),
  };
}
