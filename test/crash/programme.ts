/** The programme: every point with every seed, and what came of it in one line. */

import { type CaseReport, type CaseTools, runCase, usesSharedRedis } from './cases.ts';
import { eventsWithoutPoints, isKillPoint, type Points } from './points.ts';

/** Cases on a shared Redis mostly wait: so many more of them go at once. */
const SHARED_JOBS_FACTOR = 3;

const SHOWN_PROBLEMS = 8;

/** A word about how far it is, after so many cases. */
const PROGRESS_EVERY = 100;

export interface Summary {
  readonly line: string;
  readonly isGood: boolean;
}

/** Runs all the cases, `jobs` at once; `say` gets a line for each that went wrong. */
export async function runPoints(
  targets: Points,
  known: Points,
  seeds: readonly number[],
  jobs: number,
  tools: CaseTools,
  say: (line: string) => void,
): Promise<Summary> {
  const startedMs = performance.now();
  const cases = seeds.flatMap((seed) =>
    [...targets].map(([point, scenarios]) => ({ point, seed, scenarios })),
  );
  const reports: CaseReport[] = [];
  const run = async ({ point, seed, scenarios }: (typeof cases)[number]): Promise<void> => {
    const report = await runCase(point, seed, scenarios, tools);
    reports.push(report);
    if (!isGood(report)) say(failureText(report));
    if (reports.length % PROGRESS_EVERY === 0) {
      const failing = reports.filter((one) => !isGood(one)).length;
      say(`  ${reports.length} of ${cases.length} cases, ${failing} not good`);
    }
  };
  const shared = cases.filter(({ seed }) => usesSharedRedis(seed));
  const own = cases.filter(({ seed }) => !usesSharedRedis(seed));
  await Promise.all([
    inTurns(own, jobs, run),
    inTurns(shared, shared.length === cases.length ? jobs : jobs * SHARED_JOBS_FACTOR, run),
  ]);
  const unlisted = await unlistedPoints(known, tools);
  for (const point of unlisted) say(`✘ ${point} is reached and not listed: --record lists it`);
  const pointless = eventsWithoutPoints(known);
  for (const event of pointless) say(`✘ ${event} has no point: no scenario comes to it`);
  const missing = unlisted.length + pointless.length;
  return summaryOf(reports, targets.size, seeds, missing, startedMs);
}

/** Works on all items, so many at once; the first failure ends it. */
export async function inTurns<Item>(
  items: readonly Item[],
  atOnce: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const waiting = items.values();
  const lane = async (): Promise<void> => {
    for (const item of waiting) await work(item);
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
}

export function isGood({ isReached, problems }: CaseReport): boolean {
  return isReached && problems.length === 0;
}

/** A case that went wrong, and how to see it again. */
export function failureText({ point, seed, words, isReached, problems }: CaseReport): string {
  const all = isReached ? problems : ['the point was not reached', ...problems];
  return [
    `✘ ${point} (seed ${seed}; ${words})`,
    ...problemLines(all),
    `    again: npm run crash -- --point ${JSON.stringify(point)} --seed ${seed}`,
  ].join('\n');
}

/** The first problems, indented: of a bad case there can be one for each request. */
export function problemLines(problems: readonly string[]): string[] {
  const more = problems.length - SHOWN_PROBLEMS;
  const shown = problems.slice(0, SHOWN_PROBLEMS).map((problem) => `    ${problem}`);
  return more > 0 ? [...shown, `    … and ${more} more`] : shown;
}

/** Points of undisturbed journeys that a kill would be tried at, if they were known. */
async function unlistedPoints(known: Points, { references }: CaseTools): Promise<string[]> {
  const reached = (await references.all()).flatMap(({ counts }) =>
    counts.flatMap((one) => [...one.keys()]),
  );
  return [...new Set(reached)].filter((point) => isKillPoint(point) && !known.has(point));
}

function summaryOf(
  reports: readonly CaseReport[],
  points: number,
  seeds: readonly number[],
  missing: number,
  startedMs: number,
): Summary {
  const struck = reports.filter(({ isReached }) => isReached).length;
  const failing = reports.filter(({ problems }) => problems.length > 0).length;
  const kills = reports.reduce((sum, { deaths }) => sum + deaths, 0);
  const seconds = Math.round((performance.now() - startedMs) / 1000);
  const isGoodRun = failing === 0 && struck === reports.length && missing === 0 && struck > 0;
  const line =
    `crash points: ${points} points × ${seeds.length} seeds ` +
    `(${seeds[0]} … ${seeds.at(-1)}) = ${reports.length} cases, ${kills} kills, ` +
    `${failing} failing, ${reports.length - struck} unreached, ${missing} unlisted, ` +
    `${seconds} s${reports.length === 1 ? ` (${reports[0]?.words})` : ''}`;
  return { line, isGood: isGoodRun };
}
