import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { pollDelayMs } from '../../src/domain/cadence.ts';

const ADAPTIVE = { pinnedMs: null, minMs: 5_000, maxMs: 300_000 };

test('a pinned interval is the interval, at any age', () => {
  for (const age of [0, 1, 86_400_000]) {
    expect(pollDelayMs({ ...ADAPTIVE, pinnedMs: 7 }, age)).toBe(7);
  }
});

test('a batch is looked at within seconds at first, and every few minutes in the end', () => {
  expect(pollDelayMs(ADAPTIVE, 0)).toBe(5_000);
  expect(pollDelayMs(ADAPTIVE, 3_600_000)).toBe(120_000);
  expect(pollDelayMs(ADAPTIVE, 86_400_000)).toBe(300_000);
});

test('the interval never shrinks with age and never leaves its bounds', () => {
  fc.assert(
    fc.property(fc.nat(100_000_000), fc.nat(100_000_000), (age, more) => {
      const delay = pollDelayMs(ADAPTIVE, age);
      expect(delay).toBeGreaterThanOrEqual(ADAPTIVE.minMs);
      expect(delay).toBeLessThanOrEqual(ADAPTIVE.maxMs);
      expect(pollDelayMs(ADAPTIVE, age + more)).toBeGreaterThanOrEqual(delay);
    }),
  );
});
