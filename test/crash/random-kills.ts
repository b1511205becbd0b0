/** kill -9 at random times, again and again until the job is done in spite of it. */

import type { CaseTools } from './cases.ts';
import { travel } from './journey.ts';
import { problemsOf } from './judge.ts';
import { inTurns, problemLines, type Summary } from './programme.ts';
import { SCENARIOS } from './scenarios.ts';
import { Draws } from './worlds.ts';

/** Commands of one journey that are killed at the most; then it is let go to its end. */
const MAX_DEATHS = 8;

/** Share of the journeys on a Redis that outlives their commands. */
const SHARED_SHARE = 0.15;

/**
 * Journeys one after another until so many commands were killed. Each command is killed at a
 * time that is drawn evenly over the length of an undisturbed journey; one that has ended by
 * then was not killed and is not counted.
 */
export async function runRandomKills(
  kills: number,
  firstSeed: number,
  jobs: number,
  tools: CaseTools,
  say: (line: string) => void,
): Promise<Summary> {
  const startedMs = performance.now();
  const done = { kills: 0, journeys: 0, failing: 0 };
  const seeds = (function* () {
    for (let seed = firstSeed; done.kills < kills; seed += 1) yield seed;
  })();
  const lane = async (): Promise<void> => {
    for (const seed of seeds) {
      const { deaths, problems, words } = await runRandomCase(seed, tools);
      done.kills += deaths;
      done.journeys += 1;
      if (problems.length === 0) continue;
      done.failing += 1;
      say([`✘ ${words}`, ...problemLines(problems)].join('\n'));
      say(`    again: npm run crash -- --random 1 --seed ${seed}`);
    }
  };
  await inTurns(Array.from({ length: jobs }), jobs, lane);
  const seconds = Math.round((performance.now() - startedMs) / 1000);
  const line =
    `random kills: ${done.kills} kills in ${done.journeys} journeys from seed ${firstSeed}, ` +
    `${done.failing} failing, ${seconds} s`;
  return { line, isGood: done.failing === 0 && done.kills >= kills };
}

async function runRandomCase(seed: number, tools: CaseTools) {
  const draws = new Draws(seed);
  const names = [...SCENARIOS.keys()];
  const scenario = names[draws.whole('random scenario', 0, names.length - 1)] ?? '';
  const reference = await tools.references.of(scenario, seed);
  const isShared = draws.share('random Redis') < SHARED_SHARE;
  const spanMs = reference.elapsedMs / reference.plot.steps.length;
  let commands = 0;
  const travelled = await travel(reference.plot, {
    seed,
    strikes: [],
    isRecorded: false,
    redisUrl: isShared ? tools.redisUrl : null,
    disturb: (running) => {
      commands += 1;
      if (commands > MAX_DEATHS) return;
      const timer = setTimeout(
        () => running.signal('SIGKILL'),
        draws.share(`death ${commands}`) * spanMs,
      );
      void running.ended.then(() => clearTimeout(timer));
    },
  });
  const problems = await problemsOf(travelled, reference.outcome);
  const isKept = tools.keeps && problems.length > 0;
  if (isKept) problems.push(`kept in ${travelled.place.folder}`);
  await travelled.close(isKept);
  const words = `seed ${seed}: ${scenario}${isShared ? ' on a shared Redis' : ''}`;
  return { deaths: travelled.deaths, problems, words };
}
