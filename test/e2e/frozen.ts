/** A program that is stopped in the worst moment: it has decided on a create and not sent it. */

import { watch } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { expect } from 'vitest';

import { eventually, type Running } from '../support/program.ts';
import { mixedLines } from '../support/sets.ts';
import { openScene, type Scene } from './scene.ts';

/** Requests of one model: one chunk, so that every create is about the same requests. */
export const ONE_CHUNK = mixedLines(30).filter((line) => line.includes('"gpt-4o-mini"'));

/** The first event of a chunk is its upload, the second one the decision to create. */
const DECISION = '00000002.json';

/** The stop races with the few instructions between decision and create. */
const MAX_TRIES = 12;

export interface Frozen extends Scene {
  readonly run: Running;
}

/** A stopped program whose decision stands and whose create the server has not seen. */
export async function frozenAfterDecision(env: NodeJS.ProcessEnv = {}): Promise<Frozen> {
  for (let tries = 1; tries <= MAX_TRIES; tries += 1) {
    const { place, simulator } = await openScene(ONE_CHUNK);
    const hold = simulator.controls.hold('upload', 'after');
    const run = place.start(place.runArgs(), env);
    await hold.reached;
    const stream = join(await place.jobFolder(), 'journal/c000000');
    await mkdir(stream, { recursive: true });
    const watcher = watch(stream, (_event, name) => {
      if (name === DECISION) run.signal('SIGSTOP');
    });
    hold.release();
    await untilStopped(run.pid);
    watcher.close();
    const status = (await place.states()).get('c000000')?.status;
    if (status === 'submitting' && simulator.ledger.calls()['create'] === undefined) {
      return { place, simulator, run };
    }
    await run.kill();
  }
  throw new Error(`${MAX_TRIES} programs were all faster than the stop`);
}

/** Resolves when the kernel says that the process is stopped. */
export async function untilStopped(pid: number): Promise<void> {
  await eventually(async () => {
    const status = await readFile(`/proc/${pid}/stat`, 'utf8');
    expect(status.slice(status.lastIndexOf(')') + 2, status.lastIndexOf(')') + 3)).toBe('T');
  });
}
