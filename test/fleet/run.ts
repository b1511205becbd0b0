/**
 * `npm run fleet`: a service and two workers, each of them the real program, share jobs of 40
 * chunks while they are killed at random moments and stopped for 90 s.
 *
 *   [--rounds 3] [--seed 1]          so many jobs; a round alone: --rounds 1 --seed N
 *   [--kills 8] [--stops 3]          strikes in each round
 *   [--stop-ms 90000] [--gap 400]   how long a stop is; the most events between two strikes
 *   [--batch-ms 12000] [--settle-ms 60000]
 *   [--verbose]                      says each strike as it comes
 *
 * Exits with 1 where anything is lost, doubled, out of order or other than in an undisturbed run.
 */

import { parseArgs } from 'node:util';

import { buildProgram } from '../crash/build.ts';
import type { Strike } from './strikes.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seed: { type: 'string', default: '1' },
    kills: { type: 'string', default: '8' },
    stops: { type: 'string', default: '3' },
    'stop-ms': { type: 'string', default: '90000' },
    gap: { type: 'string', default: '400' },
    'batch-ms': { type: 'string', default: '12000' },
    'settle-ms': { type: 'string', default: '60000' },
    verbose: { type: 'boolean', default: false },
  },
});

const DEADLINE_MS = 20 * 60_000;
const QUICK_MS = 200;

const FORCED = 130;

// The processes of a fleet end only in order: a round has to clear up after itself.
const leaving = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => leaving.abort());
}
const build = process.env['E2E_PROGRAM'] === undefined ? await buildProgram() : null;
if (build !== null) process.env['E2E_PROGRAM'] = build.program;
try {
  await runAll();
} catch (error) {
  if (!leaving.signal.aborted) throw error;
  process.exitCode = FORCED;
} finally {
  await build?.remove();
}

async function runAll(): Promise<void> {
  // Only now: which program a place starts is settled when its module is loaded.
  const { runRound } = await import('./round.ts');
  const { drawStrikes, wordsOf } = await import('./strikes.ts');
  const counts = {
    kills: Number(values.kills),
    stops: Number(values.stops),
    stopMs: Number(values['stop-ms']),
    gapEvents: Number(values.gap),
  };
  const settleMs = Number(values['settle-ms']);
  let failing = 0;
  const came: Strike[] = [];
  for (let round = 0; round < Number(values.rounds); round += 1) {
    const seed = Number(values.seed) + round;
    const { signal } = leaving;
    const size = { requestsPerChunk: 25, seed, settleMs, deadlineMs: DEADLINE_MS, signal };
    const startedMs = performance.now();
    const undisturbed = await runRound({ ...size, batchMs: QUICK_MS }, []);
    const say = (line: string): void => (values.verbose ? console.log(`  ${line}`) : undefined);
    const batchMs = Number(values['batch-ms']);
    const struck = await runRound({ ...size, batchMs }, drawStrikes(counts, seed), say);
    const faults = [...undisturbed.faults, ...struck.faults];
    if (struck.sha256 !== undisturbed.sha256) faults.push('the result is another one');
    came.push(...struck.strikes);
    if (faults.length > 0) {
      failing += 1;
      console.log([...faults, ...struck.strikes.map(wordsOf), struck.said].join('\n'));
    }
    const seconds = ((performance.now() - startedMs) / 1_000).toFixed(0);
    const shares = struck.creates.join(' + ');
    console.log(
      `seed ${seed}: ${struck.strikes.length} strikes, at least ${shares} batches by the ` +
        `workers, ${faults.length} faults, sha256 ${struck.sha256?.slice(0, 12)}, ${seconds} s`,
    );
  }
  const kills = came.filter(({ kind }) => kind === 'kill').length;
  const stops = `${came.length - kills} stops of ${counts.stopMs} ms`;
  console.log(`${values.rounds} rounds, ${kills} kills, ${stops}: ${failing} failing`);
  process.exitCode = failing === 0 ? 0 : 1;
}
