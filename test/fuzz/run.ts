/**
 * The real service under random and mutated requests: no answer of 5xx, no exit, no hang.
 * Run: node test/fuzz/run.ts [--requests 100000] [--seed 1]
 */

import { parseArgs } from 'node:util';
import { fuzz } from './programme.ts';
import { openTarget } from './target.ts';

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
  },
});
const seed = Number(values.seed);
const startedMs = performance.now();
const target = await openTarget();
try {
  const report = await fuzz(target, seed, Number(values.requests));
  for (const sentence of report.wrong) process.stdout.write(`--seed ${seed}: ${sentence}\n`);
  if (report.wrong.length > 0) process.stdout.write(`${target.stderr()}\n`);
  const seconds = Math.round((performance.now() - startedMs) / 1000);
  const statuses = [...report.statuses].toSorted(([one], [other]) => one - other);
  process.stdout.write(
    `fuzz: seed ${seed}, ${report.requests} requests, ${report.wrong.length} wrong, ` +
      `peak ${Math.round(report.peakBytes / 1e6)} MB, ${seconds} s; ` +
      `${statuses.map(([status, times]) => `${status} × ${times}`).join(', ')}\n`,
  );
  process.exitCode = report.wrong.length > 0 ? 1 : 0;
} finally {
  await target.close();
}
