/** One case: a point and a seed. Everything else about it is drawn from the two. */

import { travel } from './journey.ts';
import { problemsOf } from './judge.ts';
import type { Reference, References } from './references.ts';
import type { Strike } from './strike.ts';
import { Draws } from './worlds.ts';

/** Share of the cases in which the command that is typed next dies too. */
const SECOND_DEATH_SHARE = 0.3;

/** Seeds in one that work on a Redis that outlives them: the dead one's bells are still there. */
const SHARED_REDIS_EVERY = 12;

/** Other worlds that are tried where none of this seed's reaches the point. */
const VARIANTS = 2;
const VARIANT_STEP = 10_000;

/** Journeys in which a point is tried to be struck, for one case. */
const MAX_TRIES = 6;

export interface CaseTools {
  readonly references: References;
  /** An operator's Redis. */
  readonly redisUrl: string;
  /** Folders of failing cases stay where they are. */
  readonly keeps: boolean;
}

export interface CaseReport {
  readonly point: string;
  readonly seed: number;
  /** How it was done, for people. */
  readonly words: string;
  readonly isReached: boolean;
  readonly deaths: number;
  /** Empty where all is well. */
  readonly problems: readonly string[];
}

export function usesSharedRedis(seed: number): boolean {
  return seed % SHARED_REDIS_EVERY === 0;
}

/** Goes through the case. `scenarios` are those that are known to reach the point. */
export async function runCase(
  point: string,
  seed: number,
  scenarios: readonly string[],
  tools: CaseTools,
): Promise<CaseReport> {
  let last: CaseReport | null = null;
  let tries = 0;
  for await (const world of worldsFor(point, seed, scenarios, tools.references)) {
    last = await tryOnce(point, seed, world, tools);
    tries += 1;
    // Steps that run at once do not reach a point equally often each time.
    if (last.isReached || last.problems.length > 0 || tries === MAX_TRIES) return last;
  }
  const words = 'no undisturbed journey reaches it';
  return last ?? { point, seed, words, isReached: false, deaths: 0, problems: [] };
}

interface World {
  readonly scenario: string;
  readonly seed: number;
  readonly reference: Reference;
  /** The command of the plot that is struck, from 0. */
  readonly step: number;
  readonly occurrence: number;
}

/** Worlds in which an undisturbed journey reaches the point: this seed's, then some others. */
async function* worldsFor(
  point: string,
  seed: number,
  scenarios: readonly string[],
  references: References,
): AsyncGenerator<World> {
  const draws = new Draws(seed);
  const first = draws.whole(`scenario ${point}`, 0, scenarios.length - 1);
  const order = [...scenarios.slice(first), ...scenarios.slice(0, first)];
  for (let variant = 0; variant <= VARIANTS; variant += 1) {
    const worldSeed = seed + variant * VARIANT_STEP;
    for (const scenario of order) {
      const reference = await references.of(scenario, worldSeed);
      const steps = [...reference.counts.entries()].filter(([, counts]) => counts.has(point));
      const chosen = steps[draws.whole(`step ${point}`, 0, steps.length - 1)];
      if (chosen === undefined) continue;
      const [step, counts] = chosen;
      const occurrence = draws.whole(`occurrence ${point}`, 1, counts.get(point) ?? 1);
      yield { scenario, seed: worldSeed, reference, step, occurrence };
      if (occurrence > 1) yield { scenario, seed: worldSeed, reference, step, occurrence: 1 };
    }
  }
}

async function tryOnce(
  point: string,
  seed: number,
  world: World,
  tools: CaseTools,
): Promise<CaseReport> {
  const { scenario, reference, step, occurrence } = world;
  const second = secondStrike(point, seed, reference);
  const isShared = usesSharedRedis(seed);
  const strikes: Strike[] = [{ point, occurrence, action: 'kill' }, ...second];
  const travelled = await travel(reference.plot, {
    seed: world.seed,
    strikes,
    fromStep: step,
    isRecorded: false,
    redisUrl: isShared ? tools.redisUrl : null,
  });
  const problems = await problemsOf(travelled, reference.outcome);
  const isKept = tools.keeps && problems.length > 0;
  if (isKept) problems.push(`kept in ${travelled.place.folder}`);
  await travelled.close(isKept);
  const isReached = travelled.struck[0] === point;
  const words = [
    `${scenario}, command ${step + 1}, time ${occurrence}`,
    ...second.map((one) => `then the ${one.occurrence}th point of the next`),
    ...(isShared ? ['on a shared Redis'] : []),
  ];
  const { deaths } = travelled;
  return { point, seed, words: words.join(', '), isReached, deaths, problems };
}

function secondStrike(point: string, seed: number, { counts }: Reference): Strike[] {
  const draws = new Draws(seed);
  if (draws.share(`second death ${point}`) >= SECOND_DEATH_SHARE) return [];
  const points = counts.map((one) => [...one.values()].reduce((sum, count) => sum + count, 0));
  const occurrence = draws.whole(`second death at ${point}`, 1, Math.max(...points));
  return [{ point: '*', occurrence, action: 'kill' }];
}
