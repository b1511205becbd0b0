/** Seeds shared among processes: one loop runs one seed at a time, so each core gets its own. */

import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { SeedReport } from './simulate.ts';
import { simulate } from './simulate.ts';

const CHILD = fileURLToPath(new URL('share-child.ts', import.meta.url));

/** Seeds that a process is handed at once. */
const HANDED = 10;

export interface SeedRange {
  readonly first: number;
  readonly count: number;
}

/** Simulates the seeds; `told` hears of each, in no order, and answers whether to stop there. */
export async function simulateShared(
  range: SeedRange,
  workers: number,
  told: (report: SeedReport) => boolean,
): Promise<void> {
  const shares = sharesOf(range);
  if (workers <= 1) return simulateHere(shares, told);
  const children = Array.from({ length: Math.min(workers, shares.length) }, () =>
    fork(CHILD, { serialization: 'advanced' }),
  );
  let stopped = false;
  const work = async (child: ChildProcess): Promise<void> => {
    for (let share = shares.shift(); share !== undefined && !stopped; share = shares.shift()) {
      for (const report of await simulatedBy(child, share)) stopped = told(report) || stopped;
    }
    child.disconnect();
  };
  await Promise.all(children.map(work)).finally(() => {
    for (const child of children) child.kill();
  });
}

async function simulateHere(
  shares: readonly SeedRange[],
  told: (report: SeedReport) => boolean,
): Promise<void> {
  for (const { first, count } of shares) {
    for (let seed = first; seed < first + count; seed += 1) {
      if (told(await simulate(seed))) return;
    }
  }
}

/** Rejects where the process ends before it has answered. */
async function simulatedBy(child: ChildProcess, share: SeedRange): Promise<SeedReport[]> {
  const abort = new AbortController();
  const answered = once(child, 'message', { signal: abort.signal });
  const ended = once(child, 'exit', { signal: abort.signal }).then(([code]) => {
    throw new Error(`a process of the simulation ended with ${code} in ${JSON.stringify(share)}`);
  });
  child.send(share);
  try {
    const [reports] = (await Promise.race([answered, ended])) as [SeedReport[]];
    return reports;
  } finally {
    abort.abort();
    await Promise.allSettled([answered, ended]);
  }
}

function sharesOf({ first, count }: SeedRange): SeedRange[] {
  return Array.from({ length: Math.ceil(count / HANDED) }, (_, index) => ({
    first: first + index * HANDED,
    count: Math.min(HANDED, count - index * HANDED),
  }));
}
