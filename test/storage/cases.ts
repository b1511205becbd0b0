/** The cases of struck disks: which there are, and whether one came to the end that it must. */

import type { Outcome } from '../crash/judge.ts';
import { outcomeOf, problemsOf } from '../crash/judge.ts';
import type { Plot } from '../crash/scenarios.ts';
import { SCENARIOS } from '../crash/scenarios.ts';
import { Draws } from '../crash/worlds.ts';
import type { StorageAction } from './points.ts';
import { actionsAt, storagePoints } from './points.ts';
import { sail } from './voyage.ts';

/** Together they reach every file, and nearly every event, that the program writes. */
const TOLD = [
  'journey',
  'pipe',
  'strangers',
  'lost creates',
  'cancel',
  'brake',
  'give-back',
  'adoption',
];

export interface CaseName {
  readonly seed: number;
  readonly scenario: string;
  readonly point: string;
  readonly action: StorageAction;
  /** The first time that is struck, from 1. */
  readonly occurrence: number;
}

export interface StorageCase extends CaseName {
  /** What the same plot comes to where nothing happens. */
  readonly expected: Outcome;
}

/** All cases of a seed: each point once, in the first scenario that reaches it. */
export async function casesOf(seed: number, scenario: string | null): Promise<StorageCase[]> {
  const cases: StorageCase[] = [];
  const known = new Set<string>();
  for (const name of scenario === null ? TOLD : [scenario]) {
    const { expected, reached } = await undisturbed(seed, name);
    for (const [point, times] of storagePoints(reached)) {
      if (known.has(point)) continue;
      known.add(point);
      for (const action of actionsAt(point)) {
        const occurrence = new Draws(seed).whole(`${point} ${action}`, 1, times);
        cases.push({ seed, scenario: name, point, action, occurrence, expected });
      }
    }
  }
  return cases;
}

/** The case of that name. */
export async function replayed(name: CaseName): Promise<StorageCase> {
  return { ...name, expected: (await undisturbed(name.seed, name.scenario)).expected };
}

/** A case that is over. */
export interface Finished {
  /** What is wrong; empty where all is well. */
  readonly problems: readonly string[];
  /** False where its point was not reached: see `isByChance`. */
  readonly isStruck: boolean;
}

/** Runs the case, earlier where its point is reached more rarely than in the undisturbed run. */
export async function runCase(one: StorageCase): Promise<Finished> {
  const finished = await struck(one);
  const { isStruck, problems } = finished;
  if (isStruck || problems.length > 0 || one.occurrence === 1) return finished;
  // How often a folder is flushed depends on who comes first.
  return runCase({ ...one, occurrence: Math.floor(one.occurrence / 2) });
}

async function struck(one: StorageCase): Promise<Finished> {
  const { seed, point, occurrence, action } = one;
  const strike = { point, occurrence, action };
  const travelled = await sail(plotOf(one), { seed, strike, isRecorded: false, dataDir: null });
  try {
    const problems = await problemsOf(travelled, one.expected);
    return { problems, isStruck: travelled.struck.length > 0 };
  } finally {
    await travelled.close();
  }
}

/** The plot of a seed's scenario. Throws where there is none of that name. */
export function plotOf({ seed, scenario }: Pick<CaseName, 'seed' | 'scenario'>): Plot {
  const tell = SCENARIOS.get(scenario);
  if (tell === undefined) throw new RangeError(`there is no scenario ${scenario}`);
  return tell(new Draws(seed));
}

/** What the plot comes to by itself, and the points that it reaches. */
export async function undisturbed(
  seed: number,
  scenario: string,
): Promise<{ expected: Outcome; reached: readonly string[] }> {
  const plot = plotOf({ seed, scenario });
  const travelled = await sail(plot, { seed, strike: null, isRecorded: true, dataDir: null });
  try {
    const { outcome, problems } = await outcomeOf(plot, travelled);
    const wrong = [...problems, ...(await problemsOf(travelled, outcome))];
    if (wrong.length > 0) throw new Error(`undisturbed, ${scenario} is wrong: ${wrong.join('; ')}`);
    return { expected: outcome, reached: travelled.reached.flat() };
  } finally {
    await travelled.close();
  }
}
