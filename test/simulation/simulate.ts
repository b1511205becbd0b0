/** Runs one seed: jobs are submitted, troubled, and must all end well once the trouble is over. */

import { createHash } from 'node:crypto';
import type { JobId } from '../../src/domain/ids.ts';
import type { JobState } from '../../src/domain/job.ts';
import { isTerminal } from '../../src/domain/job.ts';
import { resultName } from '../../src/stages/names.ts';
import type { SimulatedRequest } from '../support/memory/plan.ts';
import { openDoors, IDENTITY } from './house.ts';
import { checkResult } from './result.ts';
import { drawProfile } from './profile.ts';
import type { Profile } from './profile.ts';
import { NATURES } from './provider/execution.ts';
import { Random } from './random.ts';
import { World } from './world.ts';

const HOUR_MS = 3_600_000;
/** After the last fault every job must end within this time. */
const PATIENCE_MS = 14 * 24 * HOUR_MS;
/** What was under way when the jobs ended may still come. */
const LINGER_MS = 2 * HOUR_MS;
const RESUME_EVERY_MS = 20 * 60_000;

export interface SeedReport {
  readonly seed: number;
  readonly violations: readonly string[];
  readonly virtualMs: number;
  readonly events: number;
  readonly requests: number;
  readonly batches: number;
  readonly excused: number;
  readonly strikes: ReadonlyMap<string, number>;
  readonly notices: ReadonlyMap<string, number>;
  readonly appended: ReadonlyMap<string, number>;
}

/** One seed, from its first request set to the last word of its provider. */
export async function simulate(
  seed: number,
  trace: ((line: string) => void) | null = null,
): Promise<SeedReport> {
  const random = new Random(seed);
  const profile = drawProfile(seed, random);
  const world = new World(profile, random, trace);
  world.start();
  const sets = Array.from({ length: profile.jobs }, (_, job) => drawRequests(job, profile, random));
  const jobs = new Map<JobId, readonly SimulatedRequest[]>();
  operate(world, sets, jobs).catch((error: unknown) => world.threw(error));

  const { scheduler, violations, audit } = world;
  const isBroken = (): boolean => violations.length > 0;
  const states = (): (JobState | undefined)[] => [...jobs.keys()].map((id) => audit.jobs.get(id));
  const isOver = (): boolean =>
    isBroken() ||
    (jobs.size === sets.length &&
      states().every((state) => state !== undefined && isTerminal(state)));
  await scheduler.run(profile.faultsUntilMs + PATIENCE_MS, isOver);
  if (!isOver()) world.fail(`not over ${PATIENCE_MS / HOUR_MS} h after the last fault`);
  const virtualMs = scheduler.nowMs;
  await scheduler.run(virtualMs + LINGER_MS, isBroken);
  for (const [id, requests] of jobs) {
    const state = audit.jobs.get(id);
    if (state?.status === 'done') checkResult(world, state, requests, world.store.peek(resultName(id)));
  }
  return {
    seed,
    violations,
    virtualMs,
    events: scheduler.events,
    requests: sets.flat().length,
    batches: world.model.batches.size,
    excused: world.model.ledger.excused,
    strikes: world.strikes,
    notices: world.notices,
    appended: audit.counts,
  };
}

function drawRequests(job: number, profile: Profile, random: Random): SimulatedRequest[] {
  return Array.from({ length: profile.requests }, (_, at) => {
    const request = {
      custom_id: `j${job}-r${at}-${random.pick(NATURES)}`,
      model: `model-${random.int(1, profile.models)}`,
    };
    return random.chance(0.05) ? { ...request, reject: true } : request;
  });
}

/** The person at the command line: submits, cancels at a whim, resumes what is held. */
async function operate(
  world: World,
  sets: readonly SimulatedRequest[][],
  jobs: Map<JobId, readonly SimulatedRequest[]>,
): Promise<void> {
  const { random, profile } = world;
  const person = world.steady('person');
  const doors = openDoors(person, world);
  for (const [number, requests] of sets.entries()) {
    await person.sleep(random.spread(1, HOUR_MS), undefined);
    const bytes = Buffer.from(requests.map((one) => `${JSON.stringify(one)}\n`).join(''));
    world.files.write(`/in/${number}`, bytes);
    const { job } = await doors.jobs.submit(submissionOf(`/in/${number}`, bytes, profile));
    jobs.set(job, requests);
    world.trace?.(`${job} is submitted: ${requests.length} requests`);
  }
  const cancelAtMs = profile.cancels ? random.next() * profile.faultsUntilMs : Infinity;
  for (let cancelled = false; ; ) {
    await person.sleep(RESUME_EVERY_MS, undefined);
    for (const id of jobs.keys()) {
      if (await doors.jobs.resume(id)) world.trace?.(`${id} is resumed`);
    }
    if (cancelled || world.scheduler.nowMs < cancelAtMs) continue;
    cancelled = true;
    const id = random.pick([...jobs.keys()]);
    if (await doors.jobs.cancel(id)) world.trace?.(`${id} is cancelled`);
  }
}

function submissionOf(path: string, bytes: Buffer, profile: Profile) {
  return {
    name: path,
    source: {
      kind: 'path' as const,
      location: path,
      encoding: 'identity' as const,
      sizeBytes: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
    },
    defaults: { endpoint: null, model: null },
    limits: {
      maxRequests: profile.chunkRequests,
      maxBytes: 1_000_000,
      maxInputs: 1_000,
      maxLineBytes: 1_000,
    },
    onInvalid: 'skip' as const,
    provider: IDENTITY,
    completionWindow: '24h',
    options: { maxAttempts: profile.maxAttempts, maxErrors: null },
    fresh: false,
  };
}
