/** A service and two workers share a job while each of them is killed and stopped. */

import { expect, test } from 'vitest';

import { runRound } from '../fleet/round.ts';
import { drawStrikes, wordsOf } from '../fleet/strikes.ts';

const SIZE = { requestsPerChunk: 5, seed: 3, batchMs: 300, settleMs: 1_500, deadlineMs: 150_000 };
const STRIKES = drawStrikes({ kills: 3, stops: 2, stopMs: 2_000, gapEvents: 20 }, SIZE.seed);

test('whoever is killed or stopped, nothing is lost, doubled or out of order', async () => {
  const [undisturbed, struck] = await Promise.all([runRound(SIZE, []), runRound(SIZE, STRIKES)]);
  expect(undisturbed.faults, undisturbed.said).toEqual([]);
  const words = `${struck.strikes.map(wordsOf).join('; ')}\n${struck.said}`;
  expect(struck.faults, words).toEqual([]);
  expect(struck.sha256, words).toBe(undisturbed.sha256);
  expect(struck.strikes).toHaveLength(STRIKES.length);
}, 180_000);
