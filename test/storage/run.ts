/**
 * `npm run storage -- --seeds N`: makes the disk fail at every point of the real program that
 * writes, until there is room again, and compares the result with an undisturbed run. Then fills
 * a small real file system to the brim at random moments, where the machine lets us mount one.
 *
 * `--seed S --scenario NAME --point P --action A --occurrence K` replays one case; `--brim N`
 * sets how often a real disk is filled (2 a seed), `--every N` takes each seed's share of the
 * cases only: N seeds have all of them once.
 */

import { parseArgs } from 'node:util';

import { buildProgram } from '../crash/build.ts';
import type { StorageCase } from './cases.ts';
import { isByChance, type StorageAction } from './points.ts';

/** Cases between two signs of life on stderr. */
const PROGRESS = 50;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1' },
    seed: { type: 'string' },
    scenario: { type: 'string' },
    point: { type: 'string' },
    action: { type: 'string' },
    occurrence: { type: 'string' },
    every: { type: 'string', default: '1' },
    brim: { type: 'string', default: '2' },
    'at-once': { type: 'string', default: '2' },
  },
});

const startedMs = performance.now();
const build = process.env['E2E_PROGRAM'] === undefined ? await buildProgram() : null;
// The place takes the program from its environment when it is loaded.
process.env['E2E_PROGRAM'] ??= build?.program;
const { casesOf, replayed, runCase } = await import('./cases.ts');
const { fillToTheBrim, whyNoDisk } = await import('./brim.ts');

let run = 0;
let failing = 0;
let missed = 0;
let fills = 0;
let felt = 0;
try {
  for (const seed of seeds()) {
    const cases = await chosen(seed);
    await inTurns(cases, strike);
    const most = values.point === undefined ? Number(values.brim) : 0;
    for (let fill = 1; fill <= most; fill += 1) await brim(seed, fill);
  }
} finally {
  await build?.remove();
}
if (fills > 0 && felt === 0) {
  failing += 1;
  console.log(`✘ none of ${fills} full disks was felt`);
}
const seconds = ((performance.now() - startedMs) / 1000).toFixed(0);
console.log(
  `storage: ${run} cases (${missed} not reached, ${felt} of ${fills} full disks felt), ` +
    `${seeds().length} seeds, ` +
    `${failing} failing, ${seconds} s`,
);
process.exitCode = failing > 0 ? 1 : 0;

function seeds(): number[] {
  if (values.seed !== undefined) return [Number(values.seed)];
  return Array.from({ length: Number(values.seeds) }, (_, index) => index + 1);
}

async function chosen(seed: number): Promise<StorageCase[]> {
  const { scenario, point, action, occurrence } = values;
  if (point === undefined) {
    const every = Number(values.every);
    const all = await casesOf(seed, scenario ?? null);
    return all.filter((_, index) => index % every === seed % every);
  }
  return [
    await replayed({
      seed,
      scenario: scenario ?? 'journey',
      point,
      action: (action ?? 'ENOSPC') as StorageAction,
      occurrence: Number(occurrence ?? 1),
    }),
  ];
}

async function strike(one: StorageCase): Promise<void> {
  const { problems, isStruck } = await runCase(one);
  if (!isStruck) missed += 1;
  const isExcused = isStruck || isByChance(one.point);
  tell(nameOf(one), isExcused ? problems : ['the point was not reached', ...problems]);
}

async function brim(seed: number, fill: number): Promise<void> {
  const why = await whyNoDisk();
  if (why !== null) return console.log(`no real disk is filled: ${why}`);
  fills += 1;
  const { problems, isFelt } = await fillToTheBrim(seed, fill);
  if (isFelt) felt += 1;
  tell(`--seed ${seed} --brim ${fill}`, problems);
}

async function inTurns(
  cases: readonly StorageCase[],
  work: (one: StorageCase) => Promise<void>,
): Promise<void> {
  const iterator = cases.values();
  const lanes = Array.from({ length: Number(values['at-once']) }, async () => {
    for (const one of iterator) await work(one);
  });
  await Promise.all(lanes);
}

function nameOf({ seed, scenario, point, action, occurrence }: StorageCase): string {
  const words = `--seed ${seed} --scenario '${scenario}' --point '${point}'`;
  return `${words} --action ${action} --occurrence ${occurrence}`;
}

function tell(name: string, problems: readonly string[]): void {
  run += 1;
  if (run % PROGRESS === 0) console.error(`${run} cases so far, ${failing} failing`);
  if (problems.length === 0) return;
  failing += 1;
  console.log(`✘ ${name}\n    ${problems.join('\n    ')}`);
}
