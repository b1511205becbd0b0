/**
 * Runs the real program on a real Redis that goes away and comes back:
 * `node test/outages/run.ts --lines 1000000 --restarts 100 --flushes 20 [--freezes 5] [--fulls 2]
 * [--replicas 1] [--rollbacks 2] [--evictions 1] [--live-batches 8] [--seed N]`.
 * `--minutes-away 5`: absences of 2 s, 20 s and 5 minutes instead.
 * `--embedded 20`: so many kills of a private server and of the two programs that share it.
 * Exits with 1 where anything is lost, doubled, or goes on too late; the same options replay it.
 */

import { parseArgs } from 'node:util';

import { runDisturbed, type DisturbedRun } from './disturb.ts';
import { runEmbedded } from './embedded.ts';
import { undisturbedSha256 } from './job.ts';
import { drawOutages, longOutages, type Outage, wordsOf } from './outages.ts';

/** Chunks of a job, so that there are some hundred of a large one. */
const CHUNKS = 400;

const NAMES: Readonly<Record<Outage['kind'], string>> = {
  restart: 'restarts',
  freeze: 'freezes',
  flush: 'flushes',
  full: 'times out of memory',
  replica: 'times read-only',
  rollback: 'failovers with lost writes',
  evict: 'times dropping keys',
  embedded: 'kills around a private server',
};

const { values } = parseArgs({
  options: {
    lines: { type: 'string', default: '20000' },
    restarts: { type: 'string', default: '10' },
    freezes: { type: 'string', default: '5' },
    flushes: { type: 'string', default: '2' },
    fulls: { type: 'string', default: '2' },
    replicas: { type: 'string', default: '1' },
    rollbacks: { type: 'string', default: '2' },
    evictions: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
    'minutes-away': { type: 'string' },
    'live-batches': { type: 'string', default: '8' },
    embedded: { type: 'string' },
    verbose: { type: 'boolean', default: false },
  },
});

const seed = Number(values.seed);
const lines = Number(values.lines);
const counts = {
  restarts: Number(values.restarts),
  freezes: Number(values.freezes),
  flushes: Number(values.flushes),
  fulls: Number(values.fulls),
  replicas: Number(values.replicas),
  rollbacks: Number(values.rollbacks),
  evictions: Number(values.evictions),
};
const longest = values['minutes-away'];
const outages =
  longest === undefined ? drawOutages(counts, seed) : longOutages(Number(longest) * 60_000);
const requestsPerChunk = Math.max(20, Math.ceil(lines / CHUNKS));
const liveBatches = Number(values['live-batches']);
const size = { lines, requestsPerChunk, liveBatches, seed, batchMs: 1_000 };

const startedMs = performance.now();
const expected = await undisturbedSha256(size);
const say = (line: string): void => (values.verbose ? console.log(line) : undefined);
const kills = values.embedded;
const run =
  kills === undefined
    ? await runDisturbed(size, outages, say)
    : await runEmbedded(size, Number(kills), say);
const faults = [...run.faults];
if (run.sha256 !== null && run.sha256 !== expected) faults.push('the result is another one');
for (const fault of faults) console.log(fault);
if (faults.length > 0) {
  console.log(run.stderr.slice(-10_000));
  console.log(`replay: node test/outages/run.ts --seed ${seed} ${process.argv.slice(2).join(' ')}`);
  process.exitCode = 1;
}
if (values.verbose) console.log(run.stderr);
console.log(summaryOf(run, performance.now() - startedMs));

function summaryOf({ recoveries, sha256 }: DisturbedRun, milliseconds: number): string {
  const slowest = recoveries.toSorted((a, b) => b.recoveryMs - a.recoveryMs)[0];
  const words =
    slowest === undefined
      ? 'no recovery'
      : `slowest recovery ${secondsOf(slowest.recoveryMs)} s (${wordsOf(slowest.outage)})`;
  const kinds = Map.groupBy(recoveries, ({ outage }) => outage.kind);
  const came = [...kinds].map(([kind, { length }]) => `${length} ${NAMES[kind]}`);
  return [
    `${lines} lines, ${Math.ceil(lines / requestsPerChunk)} chunks, seed ${seed}`,
    came.join(', '),
    `${faults.length} failing, ${sha256 === expected ? 'same' : 'other'} sha256`,
    `${words}, ${secondsOf(milliseconds)} s`,
  ].join('; ');
}

function secondsOf(milliseconds: number): string {
  return (milliseconds / 1_000).toFixed(1);
}
