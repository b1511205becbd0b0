/**
 * Simulates seeds on all cores: `node test/simulation/run.ts --seeds 1000 [--start N]
 * [--workers 2]`, or one of them with all that happens in it: `--seed N --trace`. Exits with 1
 * where a seed breaks a promise; `--until-failure` stops there.
 */

import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { countOf } from './counts.ts';
import { simulateShared } from './share.ts';
import type { SeedReport } from './simulate.ts';
import { simulate } from './simulate.ts';
import { Totals } from './totals.ts';

const PROGRESS_EVERY_MS = 15_000;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    start: { type: 'string', default: '1' },
    workers: { type: 'string', default: String(availableParallelism()) },
    seed: { type: 'string' },
    trace: { type: 'boolean', default: false },
    'until-failure': { type: 'boolean', default: false },
  },
});

const totals = new Totals();
let progressAtMs = performance.now() + PROGRESS_EVERY_MS;

if (values.seed !== undefined) {
  take(
    await simulate(countOf('seed', values.seed), values.trace ? (line) => console.log(line) : null),
  );
} else {
  const range = { first: countOf('start', values.start), count: countOf('seeds', values.seeds) };
  await simulateShared(range, countOf('workers', values.workers), (report) => {
    take(report);
    sayProgress(range.count);
    return values['until-failure'] && report.violations.length > 0;
  });
}
for (const line of totals.lines()) console.log(line);
if (!totals.areGood) process.exitCode = 1;

function take(report: SeedReport): void {
  totals.add(report);
  for (const violation of report.violations) console.log(`seed ${report.seed}: ${violation}`);
}

function sayProgress(count: number): void {
  if (performance.now() < progressAtMs) return;
  progressAtMs = performance.now() + PROGRESS_EVERY_MS;
  console.error(`${totals.seeds} of ${count} seeds, ${totals.failing.length} failing`);
}
