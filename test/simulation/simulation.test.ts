/** Some seeds of the whole orchestration; `run.ts` simulates more, and replays one. */

import { describe, expect, it } from 'vitest';
import { simulate } from './simulate.ts';

const SEEDS = 120;
const SHARES = 4;

describe('whatever strikes the house and its provider', () => {
  for (let share = 0; share < SHARES; share += 1) {
    const first = 1 + share * (SEEDS / SHARES);
    const last = first + SEEDS / SHARES - 1;
    it(`keeps every promise in the seeds ${first} to ${last}`, async () => {
      for (let seed = first; seed <= last; seed += 1) {
        const { violations } = await simulate(seed);
        expect(violations, `replay with: run.ts --seed ${seed} --trace`).toEqual([]);
      }
    });
  }

  it('does the same again for the same seed', async () => {
    const traces = await Promise.all([tracedSeed(12), tracedSeed(12)]);
    expect(traces[0]?.length).toBeGreaterThan(20);
    expect(traces[0]).toEqual(traces[1]);
  });
});

async function tracedSeed(seed: number): Promise<string[]> {
  const lines: string[] = [];
  await simulate(seed, (line) => void lines.push(line));
  return lines;
}
