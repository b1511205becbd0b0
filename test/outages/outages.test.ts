import { expect, test } from 'vitest';

import { runDisturbed } from './disturb.ts';
import { undisturbedSha256 } from './job.ts';
import type { OutageCounts } from './outages.ts';
import { drawOutages, wordsOf } from './outages.ts';

const SIZE = { lines: 2_000, requestsPerChunk: 100, liveBatches: 4, seed: 7, batchMs: 300 };

const NONE = { restarts: 0, freezes: 0, flushes: 0, fulls: 0, replicas: 0 };

test.each<[string, OutageCounts]>([
  [
    'killed, frozen, flushed and full',
    { ...NONE, restarts: 3, freezes: 1, flushes: 1, fulls: 1, rollbacks: 0, evictions: 0 },
  ],
  ['back as it was before, and drops keys', { ...NONE, rollbacks: 2, evictions: 1 }],
])('a job whose Redis is %s ends like any other', async (_, counts) => {
  const outages = drawOutages(counts, SIZE.seed);
  const [expected, run] = await Promise.all([
    undisturbedSha256(SIZE),
    runDisturbed(SIZE, outages, () => undefined),
  ]);
  const words = `seed ${SIZE.seed}: ${outages.map(wordsOf).join('; ')}\n${run.stderr}`;
  expect(run.faults, words).toEqual([]);
  expect(run.sha256, words).toBe(expected);
  expect(run.recoveries).toHaveLength(outages.length);
  // People hear of trouble in words, not in what libraries throw.
  expect(run.stderr).not.toMatch(/enableOfflineQueue|Missing key|max retries|OOM command/);
});
