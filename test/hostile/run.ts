/**
 * The real program against hostile servers, a seed each.
 * Run: node test/hostile/run.ts [--seeds 50] [--from 1] [--seed N] [--at-once 2]
 */

import { parseArgs } from 'node:util';
import type { CaseReport } from './case.ts';
import { runCase } from './case.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '50' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    'at-once': { type: 'string', default: '2' },
  },
});
const first = Number(values.seed ?? values.from);
const count = values.seed === undefined ? Number(values.seeds) : 1;
const waiting = Array.from({ length: count }, (_, index) => first + index);
const reports: CaseReport[] = [];
const startedMs = performance.now();
await Promise.all(Array.from({ length: Number(values['at-once']) }, () => work()));
summarize();

async function work(): Promise<void> {
  for (let seed = waiting.shift(); seed !== undefined; seed = waiting.shift()) {
    const report = await runCase(seed);
    reports.push(report);
    for (const sentence of report.wrong) process.stdout.write(`--seed ${seed}: ${sentence}\n`);
  }
}

function summarize(): void {
  const failing = reports.filter((report) => report.wrong.length > 0).length;
  const sum = (of: 'requests' | 'batches' | 'succeeded'): number =>
    reports.reduce((total, report) => total + report[of], 0);
  const kinds = new Map<string, number>();
  for (const { mischief } of reports) {
    for (const [name, times] of mischief) kinds.set(name, (kinds.get(name) ?? 0) + times);
  }
  const killed = reports.filter((report) => report.killed).length;
  const seconds = Math.round((performance.now() - startedMs) / 1000);
  if (values.seed !== undefined) {
    for (const [name, times] of kinds) process.stdout.write(`  ${name}: ${times}\n`);
  }
  process.stdout.write(
    `hostile: ${reports.length} seeds from ${first}, ${killed} killed in the middle, ` +
      `${sum('requests')} requests in ${sum('batches')} batches, ${sum('succeeded')} succeeded, ` +
      `${kinds.size} kinds of mischief, ${failing} failing, ${seconds} s\n`,
  );
  process.exitCode = failing > 0 || reports.length < count ? 1 : 0;
}
