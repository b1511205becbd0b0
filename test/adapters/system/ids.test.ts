import { describe, expect, it } from 'vitest';

import { createIds } from '../../../src/adapters/system/ids.ts';
import { parseJobId } from '../../../src/domain/ids.ts';

describe('the ids of the system', () => {
  it('have the shape that the domain asks of a job id', () => {
    const ids = createIds({ wallMs: () => Date.now() });
    for (let round = 0; round < 100; round += 1) {
      const id = ids.job();
      expect(parseJobId(id)).toBe(id);
    }
  });

  it('sort by the time of their making', () => {
    const times = [0, 1, 31, 32, 1_700_000_000_000, 1_700_000_000_001, 2 ** 48 - 1];
    let nowMs = 0;
    const ids = createIds({ wallMs: () => nowMs });
    const made = times.map((time) => {
      nowMs = time;
      return ids.job();
    });
    expect(made.toSorted()).toEqual(made);
    expect(made[0]).toMatch(/^job_0000000000/);
    expect(made.at(-1)).toMatch(/^job_7zzzzzzzzz/);
  });

  it('take the whole milliseconds of a clock that tells fractions', () => {
    const ids = createIds({ wallMs: () => 32.9 });
    expect(ids.job()).toMatch(/^job_0000000010/);
  });

  it('differ, and use every character of the alphabet alike', () => {
    const ids = createIds({ wallMs: () => 0 });
    const nonces = Array.from({ length: 2_000 }, () => ids.nonce());
    expect(new Set(nonces).size).toBe(nonces.length);
    for (const nonce of nonces) expect(nonce).toMatch(/^[0-9a-hjkmnp-tv-z]{20}$/);
    const counts = Map.groupBy(nonces.join(''), (character) => character);
    expect(counts.size).toBe(32);
    // 40,000 characters: 1,250 of each expected, and 8 standard deviations are 280.
    for (const found of counts.values()) expect(Math.abs(found.length - 1_250)).toBeLessThan(280);
  });
});
