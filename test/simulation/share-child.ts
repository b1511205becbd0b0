/** A process that simulates the seeds it is handed, until nobody hands it any. */

import type { SeedRange } from './share.ts';
import type { SeedReport } from './simulate.ts';
import { simulate } from './simulate.ts';

process.on('message', ({ first, count }: SeedRange) => {
  void answer(first, count);
});

async function answer(first: number, count: number): Promise<void> {
  const reports: SeedReport[] = [];
  for (let seed = first; seed < first + count; seed += 1) reports.push(await simulate(seed));
  process.send?.(reports);
}
