/** Runs a job while its Redis goes away and comes back, and measures how soon it goes on. */

import { setTimeout as delay } from 'node:timers/promises';

import type { Running } from '../support/program.ts';
import { Random } from '../simulation/random.ts';
import { OutageJob, type JobSize } from './job.ts';
import { type Outage, type ServerOutage, wordsOf } from './outages.ts';
import { freePort, OwnRedis } from './own-redis.ts';

/** Bells must be answered again within this time after Redis is back. */
const RECOVERY_LIMIT_MS = 60_000;
/** A job that has not ended this long after the last outage hangs. */
const END_LIMIT_MS = 15 * 60_000;

export interface Recovery {
  readonly outage: Outage;
  /** From Redis' return to the look at a batch that proves it. */
  readonly recoveryMs: number;
}

export interface DisturbedRun {
  readonly recoveries: readonly Recovery[];
  /** Sentences; empty where all is well. */
  readonly faults: readonly string[];
  readonly sha256: string | null;
  readonly stderr: string;
}

/** Resolves when the job has ended, or has failed to. */
export async function runDisturbed(
  size: JobSize,
  outages: readonly ServerOutage[],
  say: (line: string) => void,
): Promise<DisturbedRun> {
  const redis = await OwnRedis.start();
  const job = await OutageJob.prepare(size, { REDIS_URL: redis.url });
  try {
    const program = job.start();
    const recoveries: Recovery[] = [];
    const gone = program.ended.then(({ code }) => {
      throw new Error(`the program ended with ${code}`);
    });
    const failure = await disturb(job, redis, outages, recoveries, gone, say).then(
      () => null,
      (error: Error) => error.message,
    );
    return await conclude(job, program, recoveries, failure);
  } finally {
    await job.clear();
    await redis.close();
  }
}

/** Lets the job end where nothing has failed so far, and judges what it left. */
export async function conclude(
  job: OutageJob,
  program: Running,
  recoveries: readonly Recovery[],
  failure: string | null,
): Promise<DisturbedRun> {
  job.simulator.controls.resume();
  const tooLate = setTimeout(() => program.signal('SIGKILL'), failure === null ? END_LIMIT_MS : 0);
  const { code, stderr } = await program.ended;
  clearTimeout(tooLate);
  const faults = failure === null ? [] : [failure];
  if (code !== 0) faults.push(`the program ended with ${code}`);
  else faults.push(...(await job.faults()));
  return { recoveries, faults, sha256: code === 0 ? await job.resultSha256() : null, stderr };
}

/** One outage after the other, spread over the job's length: the world waits where it is ahead. */
async function disturb(
  job: OutageJob,
  redis: OwnRedis,
  outages: readonly ServerOutage[],
  recoveries: Recovery[],
  gone: Promise<never>,
  say: (line: string) => void,
): Promise<void> {
  const random = new Random(job.size.seed + 1);
  const { controls } = job.simulator;
  const begun = controls.until('batch_created', undefined, { deadlineMs: END_LIMIT_MS });
  await Promise.race([begun, gone]);
  for (const [index, outage] of outages.entries()) {
    // The last outage comes before the last batches are made.
    const isAhead = () => job.progress() > (index + 1) / (outages.length + 2);
    if (isAhead()) controls.pause();
    else controls.resume();
    await delay(random.int(0, 300));
    await cause(outage, redis);
    const backMs = performance.now();
    await Promise.race([job.bellsAnswered(RECOVERY_LIMIT_MS), gone]);
    const recoveryMs = performance.now() - backMs;
    recoveries.push({ outage, recoveryMs });
    say(`${index + 1}: ${wordsOf(outage)}: bells answered after ${recoveryMs.toFixed(0)} ms`);
  }
}

/** Resolves when Redis answers again. */
async function cause(outage: ServerOutage, redis: OwnRedis): Promise<void> {
  if (outage.kind === 'flush') return redis.flush();
  if (outage.kind === 'freeze') {
    redis.freeze();
    await delay(outage.awayMs);
    return redis.thaw();
  }
  if (outage.kind === 'full') {
    await redis.limitMemory(1);
    await delay(outage.awayMs);
    return redis.limitMemory(0);
  }
  if (outage.kind === 'replica') {
    await redis.replicate(await freePort());
    await delay(outage.awayMs);
    return redis.replicate(null);
  }
  if (outage.kind === 'evict') {
    await redis.evictHalf();
    await delay(outage.awayMs);
    const dropped = await redis.evictNothing();
    if (dropped === 0) throw new Error('nothing was dropped: the case proves nothing');
    return;
  }
  if (outage.kind === 'rollback') {
    await redis.keepCopy();
    await delay(outage.lostMs);
  }
  await redis.kill();
  await delay(outage.awayMs);
  await redis.restart(outage.kind === 'rollback' ? 'older' : outage.back);
}
