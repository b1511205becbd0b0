/**
 * Simulates seeds: `node test/simulation/run.ts --seeds 1000 [--start N]`, or one of them with all
 * that happens in it: `--seed N --trace`. Exits with 1 where a seed breaks a promise;
 * `--until-failure` stops there.
 */

import { parseArgs } from 'node:util';
import type { SeedReport } from './simulate.ts';
import { simulate } from './simulate.ts';

const DAY_MS = 86_400_000;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    start: { type: 'string', default: '1' },
    seed: { type: 'string' },
    trace: { type: 'boolean', default: false },
    'until-failure': { type: 'boolean', default: false },
  },
});

const first = Number(values.seed ?? values.start);
const count = values.seed === undefined ? Number(values.seeds) : 1;
const startedMs = performance.now();
const reports: SeedReport[] = [];
for (let seed = first; seed < first + count; seed += 1) {
  const report = await simulate(seed, values.trace ? (line) => console.log(line) : null);
  reports.push(report);
  for (const violation of report.violations) console.log(`seed ${seed}: ${violation}`);
  if (values['until-failure'] && report.violations.length > 0) break;
}
const seconds = (performance.now() - startedMs) / 1000;
const failing = reports.filter(({ violations }) => violations.length > 0);
console.log(summaryOf(reports, seconds));
for (const kind of ['strikes', 'appended', 'notices'] as const)
  console.log(`${kind}: ${sums(kind)}`);
if (failing.length > 0) {
  console.log(`failing seeds: ${failing.map(({ seed }) => seed).join(' ')}`);
  process.exitCode = 1;
}

function summaryOf(all: readonly SeedReport[], seconds: number): string {
  const sum = (of: 'virtualMs' | 'events' | 'requests' | 'batches' | 'excused'): number =>
    all.reduce((total, report) => total + report[of], 0);
  const days = sum('virtualMs') / DAY_MS;
  return [
    `${all.length} seeds, ${failing.length} failing, ${seconds.toFixed(1)} s`,
    `${days.toFixed(0)} virtual days (${((days / seconds) * 60).toFixed(0)} a minute)`,
    `${sum('events')} events, ${sum('requests')} requests, ${sum('batches')} batches`,
    `${sum('excused')} requests paid twice by the provider’s own fault`,
  ].join(', ');
}

function sums(of: 'strikes' | 'appended' | 'notices'): string {
  const total = new Map<string, number>();
  for (const report of reports) {
    for (const [key, count] of report[of]) total.set(key, (total.get(key) ?? 0) + count);
  }
  return [...total].map(([key, count]) => `${key} ${count}`).join(', ');
}
