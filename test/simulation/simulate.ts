/** Runs one seed: jobs are submitted, troubled, and must all end well once the trouble is over. */

import type { JobState } from '../../src/domain/job.ts';
import { isTerminal } from '../../src/domain/job.ts';
import { checkEnding } from './ending.ts';
import type { Desk } from './operator.ts';
import { drawRequests, operate } from './operator.ts';
import { drawProfile } from './profile.ts';
import { Random } from './random.ts';
import { World } from './world.ts';

const HOUR_MS = 3_600_000;
/** After the last fault every job must end within this time. */
const PATIENCE_MS = 5 * 24 * HOUR_MS;
/** A seed needs some thousands of them. */
const MAX_EVENTS = 1_000_000;
/** What was under way when the jobs ended may still come. */
const LINGER_MS = 2 * HOUR_MS;

export interface SeedReport {
  readonly seed: number;
  readonly violations: readonly string[];
  readonly virtualMs: number;
  readonly events: number;
  readonly requests: number;
  readonly batches: number;
  /** Requests that were answered with a success. */
  readonly answered: number;
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
  const desk: Desk = { jobs: new Map(), errands: 0 };
  const { jobs } = desk;
  operate(world, sets, desk).catch((error: unknown) => world.threw(error));

  const { scheduler, violations, audit } = world;
  const isBroken = (): boolean => violations.length > 0;
  const states = (): (JobState | undefined)[] => [...jobs.keys()].map((id) => audit.jobs.get(id));
  const isOver = (): boolean =>
    isBroken() ||
    scheduler.events > MAX_EVENTS ||
    (desk.errands === 0 && states().every((state) => state !== undefined && isTerminal(state)));
  await scheduler.run(profile.faultsUntilMs + PATIENCE_MS, isOver);
  if (!isOver()) world.fail(`not over ${PATIENCE_MS / HOUR_MS} h after the last fault`);
  if (scheduler.events > MAX_EVENTS) world.fail(`not over after ${MAX_EVENTS} events`);
  const virtualMs = scheduler.nowMs;
  await scheduler.run(virtualMs + LINGER_MS, isBroken);
  if (!isBroken()) await checkEnding(world, jobs);
  return {
    seed,
    violations,
    virtualMs,
    events: scheduler.events,
    requests: sets.flat().length,
    batches: world.model.batches.size,
    answered: world.model.ledger.requests,
    excused: world.model.ledger.excused,
    strikes: world.strikes,
    notices: world.notices,
    appended: audit.counts,
  };
}
