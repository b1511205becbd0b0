/** That the checks of waits tell what they are there to tell. */

import { describe, expect, it } from 'vitest';

import { calledInPause, failuresInARow, notGrowing, repeatedEarly } from './pauses.ts';
import type { Call } from './workshop.ts';

const GROWTH = { baseMs: 20, maxMs: 100 };

/** Calls of 10 ms each, each so long after the one before. */
function callsAfter(waitsMs: readonly number[], weather: string | null = 'lost'): Call[] {
  let startMs = 0;
  return [0, ...waitsMs].map((waitMs) => {
    startMs += waitMs + 10;
    return { key: 'upload a', startMs, endMs: startMs + 10, weather };
  });
}

function isFailure({ weather }: Call): boolean {
  return weather !== null;
}

describe('waits between failures of one call', () => {
  it('may double up to their bound, or be longer', () => {
    const calls = callsAfter([30, 50, 90, 110, 120]);
    expect(notGrowing({ calls }, isFailure, GROWTH)).toEqual([]);
  });

  it('are told where they stay as they are', () => {
    const calls = callsAfter([10, 10, 10]);
    expect(notGrowing({ calls }, isFailure, GROWTH).join()).toMatch(/not 40 ms.*not 80 ms/);
  });

  it('say nothing where too few failed in a row', () => {
    const [one, other] = [callsAfter([30]), callsAfter([30])];
    const between = { key: 'upload a', startMs: 60, endMs: 70, weather: null };
    const later = other.map((call) => ({ ...call, startMs: 100 + call.startMs }));
    const calls = [...one, between, ...later];
    expect(failuresInARow({ calls }, isFailure)).toBe(2);
    expect(notGrowing({ calls }, isFailure, GROWTH).join()).toMatch(/more than 2 times in a row/);
  });
});

describe('a pause that a 429 asked for', () => {
  const limited = { key: 'upload a', startMs: 0, endMs: 10, weather: 'transient HTTP 429' };
  const again = { key: 'upload a', startMs: 1_010, endMs: 1_020, weather: null };

  it('is kept by the call and by its queue, but for what was under way', () => {
    const underWay = { key: 'createBatch b', startMs: 20, endMs: 30, weather: null };
    const elsewhere = { key: 'download c', startMs: 500, endMs: 510, weather: null };
    const calls = [limited, underWay, elsewhere, again];
    expect(calledInPause({ calls }, ['upload', 'createBatch'], 1_000)).toEqual([]);
    expect(repeatedEarly({ calls }, 1_000)).toEqual([]);
  });

  it('is told where another chunk calls meanwhile', () => {
    const other = { key: 'createBatch b', startMs: 500, endMs: 510, weather: null };
    const calls = [limited, other, again];
    expect(calledInPause({ calls }, ['upload', 'createBatch'], 1_000)).toEqual([
      'createBatch b began 490 ms after a 429 that asked for 1000 ms',
    ]);
  });

  it('is told where the call comes again too soon, or never', () => {
    const early = { ...again, startMs: 500 };
    expect(repeatedEarly({ calls: [limited, early] }, 1_000)).toHaveLength(1);
    expect(repeatedEarly({ calls: [limited] }, 1_000)).toEqual(['upload a never came again']);
  });
});
