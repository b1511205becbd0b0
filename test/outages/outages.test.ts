import { expect, test } from 'vitest';

import { runDisturbed } from './disturb.ts';
import { undisturbedSha256 } from './job.ts';
import { drawOutages, wordsOf } from './outages.ts';

const SIZE = { lines: 2_000, requestsPerChunk: 100, liveBatches: 4, seed: 7, batchMs: 300 };
const COUNTS = { restarts: 3, freezes: 1, flushes: 1, fulls: 1, replicas: 0 };

test('a job whose Redis is killed, frozen, flushed and full ends like any other', async () => {
  const outages = drawOutages(COUNTS, SIZE.seed);
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
