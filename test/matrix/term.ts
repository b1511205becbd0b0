/** The row about SIGTERM: the real program in a process of its own, stopped and started again. */

import { startSimulator } from '../../src/simulator/simulator.ts';
import { unpaidOrTwice } from '../support/paid-once.ts';
import { eventually, makePlace, sha256 } from '../support/program.ts';
import { asInput } from '../support/sets.ts';
import { linesOf } from './case.ts';

/** What a service manager usually grants. */
const LEAVE_MS = 30_000;

/** Batches take long enough that the signal comes in the middle. */
const WORLD = { timeFactor: 3_600, pace: { inProgress: 3_600 } };

/** Stops a run by SIGTERM at a moment that the seed chooses, and goes on with it. */
export async function stopByTerm(
  seed: number,
  undisturbed: readonly string[],
): Promise<readonly string[]> {
  const lines = linesOf(seed);
  const simulator = await startSimulator({ ...WORLD, seed });
  const place = await makePlace(simulator.url);
  try {
    await place.writeInput(asInput(lines));
    const args = place.runArgs('--yes', '--max-requests', '6');
    const first = place.start(args);
    await eventually(() => {
      if (simulator.ledger.totals().batchesCreated < 1 + (seed % 4))
        throw new Error(`too few batches: ${first.stderr()}`);
    });
    const signalledMs = performance.now();
    first.signal('SIGTERM');
    const { code, stderr } = await first.ended;
    const leftMs = performance.now() - signalledMs;
    const second = await place.command(args);
    const result = await place.outputSha256().catch(() => 'no output');
    const wanted = sha256(Buffer.from(asInput(undisturbed)));
    return [
      // Detached, or over before the signal was heard.
      ...(code === 5 || code === 0 ? [] : [`the first run ended with ${code}: ${stderr}`]),
      ...(leftMs > LEAVE_MS ? [`it left after ${Math.round(leftMs)} ms`] : []),
      ...(second.code === 0 ? [] : [`the second run ended with ${second.code}: ${second.stderr}`]),
      ...(result === wanted ? [] : [`the result is ${result}, not ${wanted}`]),
      ...unpaidOrTwice(simulator, lines.length),
    ];
  } finally {
    await place.clear();
    await simulator.close();
  }
}
