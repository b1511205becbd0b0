/**
 * `npm run crash`: kills the real program at named points, or at random times, and looks whether
 * the same command makes everything good.
 *
 *   --all [--seeds 25] [--from-seed 1]   every point with every seed
 *   --point "<name>" --seed 7            one case again
 *   --random 1000 [--seed 1]             so many kills at random times
 *   --list                               the points
 *   --record                             finds the points anew and writes points.txt
 *   [--jobs 3]                           journeys at once
 *   [--keep]                             leaves the folders of failing cases
 *
 * E2E_PROGRAM names the entry of a build that is to be used; without it one is made.
 */

import { parseArgs } from 'node:util';

import { buildProgram } from './build.ts';
import { isKillPoint, readPoints } from './points.ts';

const { values: flags } = parseArgs({
  options: {
    all: { type: 'boolean', default: false },
    seeds: { type: 'string', default: '25' },
    'from-seed': { type: 'string', default: '1' },
    point: { type: 'string' },
    seed: { type: 'string', default: '1' },
    random: { type: 'string' },
    list: { type: 'boolean', default: false },
    record: { type: 'boolean', default: false },
    jobs: { type: 'string', default: '3' },
    keep: { type: 'boolean', default: false },
  },
});

if (flags.list) {
  await list();
} else if (flags.all || flags.record || flags.point !== undefined || flags.random !== undefined) {
  await run();
} else {
  console.error('Say --all, --point "<name>", --random <kills>, --list or --record.');
  process.exitCode = 2;
}

async function list(): Promise<void> {
  const points = await readPoints();
  const kills = [...points].filter(([point]) => isKillPoint(point));
  for (const [point, scenarios] of kills) console.log(`${point}  (${scenarios.join(', ')})`);
  console.log(`${kills.length} points that are killed at, of ${points.size} that are known`);
}

async function run(): Promise<void> {
  // What is to be ended with us hears only of an orderly end.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => process.exit(130));
  }
  const build = process.env['E2E_PROGRAM'] === undefined ? await buildProgram() : null;
  if (build !== null) process.env['E2E_PROGRAM'] = build.program;
  try {
    // Only now: which program a place starts is settled when its module is loaded.
    const { work } = await import('./work.ts');
    const isGood = await work({
      isRecording: flags.record,
      point: flags.point ?? null,
      randomKills: flags.random === undefined ? null : Number(flags.random),
      seed: Number(flags.seed),
      seeds: Number(flags.seeds),
      fromSeed: Number(flags['from-seed']),
      jobs: Number(flags.jobs),
      keeps: flags.keep,
    });
    if (!isGood) process.exitCode = 1;
  } finally {
    await build?.remove();
  }
}
