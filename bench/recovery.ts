/**
 * How long a chunk rests after the worker that held its step died, and after Redis came back,
 * with the default sweep interval and lock settings. Two worker processes, one data directory,
 * one Redis, a simulated provider; each moment is held by a latch, then comes the SIGKILL.
 * Run: node bench/recovery.ts [--rounds 10] [--most 60]
 */

import { parseArgs } from 'node:util';
import { OwnRedis } from '../test/outages/own-redis.ts';
import type { Moment } from './support/two-workers.ts';
import { TwoWorkers } from './support/two-workers.ts';

const MOMENTS = ['upload', 'poll', 'collect', 'settle', 'merge', 'clean'] as const;

/** Rounds that are tried for a kill that comes in the middle. */
const MAX_TRIES = 8;

const OUTAGES_MS = [2_000, 20_000];

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '10' },
    most: { type: 'string', default: '60' },
  },
});
const most = Number(values.most);
const workers: number[] = [];
for (let round = 0; round < Number(values.rounds); round += 1) {
  workers.push(await afterDeath(MOMENTS[round % MOMENTS.length] ?? 'upload'));
}
const returns: number[] = [];
for (const outageMs of OUTAGES_MS) {
  for (const how of ['whole', 'empty'] as const) returns.push(await afterReturn(outageMs, how));
}
process.stdout.write(
  `recovery: worker killed ${workers.length} times in ${MOMENTS.join(', ')}: ` +
    `${summary(workers)}; Redis killed and back after 2 s and 20 s, with its data and without: ` +
    `${summary(returns)}; most allowed ${most} s\n`,
);
process.exitCode = Math.max(...workers, ...returns) > most ? 1 : 0;

/** Seconds from the SIGKILL of the worker at the moment to the next event of the same stream. */
async function afterDeath(moment: Moment): Promise<number> {
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const seconds = await killedIn(moment);
    if (seconds === null) continue;
    process.stdout.write(`  worker killed in ${moment}: ${seconds.toFixed(1)} s\n`);
    return seconds;
  }
  throw new Error(`no kill came in the middle of ${moment}`);
}

async function killedIn(moment: Moment): Promise<number | null> {
  const redis = await OwnRedis.start();
  const pair = await TwoWorkers.open(redis.url);
  try {
    if (moment === 'settle' || moment === 'merge') return await pair.killSeen(moment);
    await pair.holdAt(moment);
    await pair.startSecond();
    return await pair.killHeld(moment);
  } finally {
    await pair.close();
    await redis.close();
  }
}

/** Seconds from the return of a Redis that was killed while a batch was polled. */
async function afterReturn(outageMs: number, how: 'whole' | 'empty'): Promise<number> {
  const redis = await OwnRedis.start();
  const pair = await TwoWorkers.open(redis.url);
  try {
    await pair.holdAt('poll');
    await pair.startSecond();
    await redis.kill();
    pair.letGo();
    await new Promise((resolve) => setTimeout(resolve, outageMs));
    const seconds = await pair.untilNext('poll', () => redis.restart(how));
    process.stdout.write(
      `  Redis back ${how} after ${outageMs / 1000} s: ${seconds.toFixed(1)} s\n`,
    );
    return seconds;
  } finally {
    await pair.close();
    await redis.close();
  }
}

function summary(seconds: readonly number[]): string {
  const sorted = seconds.toSorted((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
  return `median ${median.toFixed(1)} s, max ${Math.max(...sorted).toFixed(1)} s`;
}
