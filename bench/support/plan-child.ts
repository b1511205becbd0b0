/** Plans one file in a process of its own and prints its peak memory; argv: input, folder, mode. */

import { readFileSync } from 'node:fs';
import type { JobId } from '../../src/domain/ids.ts';
import { planRequestSet } from '../../src/stages/plan/plan.ts';

const [sourcePath = '', outputFolder = '', mode = 'write'] = process.argv.slice(2);
const started = performance.now();
const outcome = await planRequestSet({
  sourcePath,
  encoding: sourcePath.endsWith('.gz') ? 'gzip' : 'identity',
  outputFolder,
  job: `job_${'0'.repeat(26)}` as JobId,
  defaults: { endpoint: null, model: null },
  limits: {
    maxRequests: 50_000,
    maxBytes: 190_000_000,
    maxInputs: 50_000,
    maxLineBytes: 10_000_000,
  },
  onInvalid: 'fail',
  write: mode === 'write',
  maxReported: 100,
});
const seconds = (performance.now() - started) / 1000;
const status = readFileSync('/proc/self/status', 'utf8');
const peakMiB = Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? Number.NaN) / 1024;
if (outcome.kind !== 'planned') throw new Error('the made input must be valid');
console.log(
  `${outcome.plan.chunks.length} chunks, ${seconds.toFixed(2)} s inside, ` +
    `peak RSS ${peakMiB.toFixed(0)} MiB`,
);
