import { homedir } from 'node:os';
import { join } from 'node:path';

import { expect, onTestFinished, test } from 'vitest';

import { type MadeJob, type MadePause, writeLiveJob } from '../../bench/support/made-jobs.ts';
import { loadConfig } from '../../config/load.ts';
import { type House, openHouse, openStore, providerIdentity } from '../../src/compose.ts';
import type { JobId } from '../../src/domain/ids.ts';
import type { Notice } from '../../src/ports/notices.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const CHUNKS = 40;

/** A house over a job that was written by hand, without workers that would do anything. */
async function openMadeHouse(
  pause: MadePause | null = null,
): Promise<{ house: House; made: MadeJob; notices: Notice[] }> {
  const folder = await temporaryFolder();
  const env = {
    PATH: process.env['PATH'],
    OPENAI_BASE_URL: 'http://127.0.0.1:9/v1',
    BATCHWRIGHT_DATA_DIR: join(folder, 'data'),
    BATCHWRIGHT_RUNTIME_DIR: join(folder, 'run'),
    BATCHWRIGHT_CACHE_DIR: join(homedir(), '.cache', 'batchwright'),
  };
  const config = loadConfig({}, { folder, env });
  const root = join(folder, 'data', 'store');
  const made = writeLiveJob(root, CHUNKS, providerIdentity(config), pause);
  const store = openStore(config);
  const notices: Notice[] = [];
  const house = await openHouse(config, store, { tell: (notice) => void notices.push(notice) });
  onTestFinished(async () => {
    await house.close();
    await store.close();
  });
  return { house, made, notices };
}

async function bells(house: House): Promise<string[]> {
  const redis = house.redis.connect('producer');
  const keys = await redis.keys('bw-*:job_*');
  redis.disconnect();
  const rung = keys.filter((key) => !key.includes(':board:'));
  return rung.map((key) => key.slice(key.indexOf(':') + 1)).toSorted();
}

/** The bell without its chunk, where the chunk waits for a slot. */
function inLine(bell: string): string {
  return bell.replace(/^(dispatch:.*)-c\d+-/, '$1-waiting-');
}

test('after a flush one sweep rings what is owed, and restores slots and progress', async () => {
  const { house, made, notices } = await openMadeHouse();
  const workers = await house.start([]);
  const before = await bells(house);
  // Each live batch, as many waiting chunks as there are slots, and the merge.
  expect(before).toHaveLength(made.live + 4 + 1);
  const redis = house.redis.connect('producer');
  await redis.flushall();
  expect(await house.tools.board.isReady()).toBe(false);
  await workers.sweepNow();
  const { board } = house.tools;
  // Which of the waiting chunks stand first in line is the reads' order, not a promise.
  expect((await bells(house)).map(inLine)).toEqual(before.map(inLine));
  expect(await board.isReady()).toBe(true);
  expect(await board.holders('gpt-4o-mini')).toHaveLength(made.live);
  const progress = await board.progress(made.job as JobId);
  const phases = [...progress.values()].map(({ phase }) => phase);
  expect(phases).toHaveLength(CHUNKS);
  expect(phases.filter((phase) => phase === 'settled')).toHaveLength(made.settled);
  expect(phases.filter((phase) => phase === 'submitted')).toHaveLength(made.live);
  await workers.stop();
  expect(notices).toEqual([]);
});

test.each([
  { ageMs: 0, leftMs: 600_000, words: 'that has just begun is kept whole' },
  { ageMs: 200_000, leftMs: 400_000, words: 'is kept for what is left of it' },
  { ageMs: -86_400_000, leftMs: 600_000, words: 'never grows where the clock was set back' },
  { ageMs: 86_400_000, leftMs: 0, words: 'that is over is not begun again' },
])('a pause $words when a flush loses its bell', async ({ ageMs, leftMs }) => {
  const pause = { pauseMs: 600_000, atMs: Date.now() - ageMs };
  const { house, made } = await openMadeHouse(pause);
  const workers = await house.start([]);
  const redis = house.redis.connect('producer');
  await redis.flushall();
  await workers.sweepNow();
  const paused = `dispatch:${made.job}-c0000${CHUNKS - 1}-3`;
  const [key] = await redis.keys(`bw-*:${paused}`);
  const delayMs = Number(await redis.hget(key ?? '', 'delay'));
  expect(delayMs).toBeLessThanOrEqual(leftMs);
  expect(delayMs).toBeGreaterThanOrEqual(Math.max(0, leftMs - 60_000));
  await workers.stop();
});
