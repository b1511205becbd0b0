/** A job in the middle: one chunk is settled, the others are not, and nobody works on it. */

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

import { expect } from 'vitest';

import type { Simulator } from '../../src/simulator/simulator.ts';
import { openScene } from '../e2e/scene.ts';
import { eventually, type Place } from '../support/program.ts';
import { expectAnswered, expectPaidOnce, readResult, requestLine } from '../support/sets.ts';

/** One batch after another, so that a middle lasts. */
const OPTIONS = ['--max-requests', '2', '--max-live-batches', '1'];

export interface Interrupted {
  readonly place: Place;
  readonly simulator: Simulator;
  readonly lines: readonly string[];
  /** The job's folder in the store. */
  readonly folder: string;
  /** The chunk that is settled. */
  readonly settled: string;
  /** A chunk that is not sent. */
  readonly unsent: string;
  /** The arguments of the same command. */
  readonly again: string[];
}

/** Runs until a chunk is settled and marked so, and kills. Two lines are a chunk. */
export async function interrupted(chunks = 3): Promise<Interrupted> {
  const lines = Array.from({ length: 2 * chunks }, (_, index) => requestLine(`line-${index}`));
  const { place, simulator } = await openScene(lines);
  const again = place.runArgs(...OPTIONS);
  const run = place.start(again);
  await simulator.controls.until('batch_created', () => true, { deadlineMs: 60_000 });
  // One batch lives at a time: the next chunk's file stays on its way until the process is gone.
  const next = simulator.controls.hold('upload', 'before');
  await next.reached;
  const marks = await eventually(async () => {
    const names = await readdir(join(await place.jobFolder(), 'settled'));
    expect(names).toHaveLength(1);
    return names;
  });
  await run.kill();
  next.release();
  const states = await place.states();
  expect(states.get('job')?.status).toBe('planned');
  const settled = (marks[0] ?? '').replace('.json', '');
  const unsent = settled === 'c000001' ? 'c000002' : 'c000001';
  return { place, simulator, lines, folder: await place.jobFolder(), settled, unsent, again };
}

/** Asserts that everything is answered, in order, and paid once, and that nothing is left over. */
export async function expectWhole({ place, simulator, lines }: Interrupted): Promise<void> {
  expectAnswered(await readResult(place.outputPath), lines);
  expectPaidOnce(simulator, lines.length);
  expect(simulator.controls.files()).toEqual([]);
  expect(await readdir(join(place.dataDir, 'store/.tmp'))).toEqual([]);
  expect(await readdir(join(place.dataDir, 'scratch'))).toEqual([]);
}

/** The only file of the folder whose name begins like that. */
export async function pathIn(folder: string, beginning: string): Promise<string> {
  const names = (await readdir(folder)).filter((name) => name.startsWith(beginning));
  expect(names).toHaveLength(1);
  return join(folder, names[0] ?? '');
}
