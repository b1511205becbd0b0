/**
 * The real lengths: a process that stands still for 90 s between its decision and its create,
 * while a second process works on the same job. Minutes long, so only on demand:
 * `BATCHWRIGHT_LONG=1 npx vitest run test/e2e/long`.
 */

import { setTimeout as sleep } from 'node:timers/promises';

import { describe, expect, test } from 'vitest';

import { expectAnswered, expectPaidOnce, readResult } from '../../support/sets.ts';
import { frozenAfterDecision, ONE_CHUNK } from '../frozen.ts';

/** The length itself is what is tested here. */
const STANDSTILL_MS = 90_000;

const isWanted = process.env['BATCHWRIGHT_LONG'] === '1';

describe.runIf(isWanted)('a process that stands still for 90 s around its create', () => {
  for (const [words, settleMs] of [
    ['is given up meanwhile', 60_000],
    ['comes back while it is still looked for', 120_000],
  ] as const) {
    test(`pays once where it ${words}`, { timeout: 400_000 }, async () => {
      const env = { BATCHWRIGHT_CREATE_SETTLE_MS: String(settleMs) };
      const { place, simulator, run } = await frozenAfterDecision(env);
      const other = place.start(place.runArgs(), env);
      await sleep(STANDSTILL_MS);
      run.signal('SIGCONT');
      for (const { code, stderr } of await Promise.all([run.ended, other.ended])) {
        expect(code, stderr).toBe(0);
      }
      expectAnswered(await readResult(place.outputPath), ONE_CHUNK);
      expectPaidOnce(simulator, ONE_CHUNK.length);
    });
  }
});
