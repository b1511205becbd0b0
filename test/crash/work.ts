/** What `npm run crash` was told to do, done on one shared Redis. */

import type { CaseTools } from './cases.ts';
import { isKillPoint, type Points, readPoints, writePoints } from './points.ts';
import { inTurns, runPoints, type Summary } from './programme.ts';
import { runRandomKills } from './random-kills.ts';
import { References } from './references.ts';
import { SCENARIOS } from './scenarios.ts';
import { startSharedRedis } from './shared-redis.ts';

/** Worlds of each scenario in which points are looked for. */
const RECORDED_SEEDS = 6;

export interface Task {
  readonly isRecording: boolean;
  /** The only one; null: all. */
  readonly point: string | null;
  /** Null: points are struck. */
  readonly randomKills: number | null;
  readonly seed: number;
  readonly seeds: number;
  readonly fromSeed: number;
  readonly jobs: number;
  readonly keeps: boolean;
}

/** Resolves to whether nothing went wrong; says what did, and a summary. */
export async function work(task: Task): Promise<boolean> {
  const redis = await startSharedRedis();
  try {
    const tools = { references: new References(), redisUrl: redis.url, keeps: task.keeps };
    if (task.isRecording) return await record(tools.references, task.jobs);
    const { line, isGood } = await summaryOf(task, tools);
    console.log(line);
    return isGood;
  } finally {
    await redis.close();
  }
}

async function summaryOf(task: Task, tools: CaseTools): Promise<Summary> {
  const { point, randomKills, seed, seeds, fromSeed, jobs } = task;
  const say = (line: string): void => console.log(line);
  if (randomKills !== null) return runRandomKills(randomKills, seed, jobs, tools, say);
  const known = await readPoints();
  if (point !== null) return runPoints(only(known, point), known, [seed], 1, tools, say);
  const targets = new Map([...known].filter(([name]) => isKillPoint(name)));
  const all = Array.from({ length: seeds }, (_, index) => fromSeed + index);
  return runPoints(targets, known, all, jobs, tools, say);
}

/** A point that nobody knows stands alone, so that it is reported as one that is not reached. */
function only(points: Points, point: string): Points {
  return new Map([[point, points.get(point) ?? [...SCENARIOS.keys()]]]);
}

/** A point belongs to the scenarios that reach it nearly always, or else most often. */
async function record(references: References, jobs: number): Promise<boolean> {
  const names = [...SCENARIOS.keys()];
  const found = new Map<string, Map<string, number>>();
  const worlds = names.flatMap((scenario) =>
    Array.from({ length: RECORDED_SEEDS }, (_, index) => ({ scenario, seed: index + 1 })),
  );
  await inTurns(worlds, jobs, async ({ scenario, seed }) => {
    const { counts } = await references.of(scenario, seed);
    for (const point of new Set(counts.flatMap((one) => [...one.keys()]))) {
      const by = found.get(point) ?? new Map<string, number>();
      found.set(point, by.set(scenario, (by.get(scenario) ?? 0) + 1));
    }
  });
  const points = [...found].map(([point, by]): [string, string[]] => {
    const enough = Math.min(RECORDED_SEEDS - 1, Math.max(...by.values()));
    return [point, names.filter((name) => (by.get(name) ?? 0) >= enough)];
  });
  await writePoints(new Map(points));
  console.log(`${points.length} points are listed`);
  return true;
}
