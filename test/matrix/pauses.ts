/** What the times of a case's calls say about the waits between them. */

import type { Scene } from './row.ts';
import type { Call } from './workshop.ts';

/** A timer may ring a moment before its time. */
const EARLY_MS = 5;

/** Steps that ran already when the provider asked for time come to their own call. */
const UNDER_WAY_MS = 250;

/** Failures in a row of one call that make its waits comparable. */
export const ENOUGH_FAILURES = 4;

export interface Growth {
  /** The first wait; doubles. */
  readonly baseMs: number;
  readonly maxMs: number;
}

/** Waits that stand out from how long a call takes by itself. */
export const LONG_WAITS: Growth = { baseMs: 20, maxMs: 640 };

/** The settings that make them. */
export const WITH_LONG_WAITS = {
  BATCHWRIGHT_RETRY_BASE_MS: String(LONG_WAITS.baseMs),
  BATCHWRIGHT_RETRY_MAX_MS: String(LONG_WAITS.maxMs),
};

/**
 * Waits between failures of one call, repeated, that are shorter than what doubles each time; a
 * sentence of its own where no call failed often enough to tell. `resets`: a call after which the
 * waits begin anew.
 */
export function notGrowing(
  { calls }: Pick<Scene, 'calls'>,
  fails: (call: Call) => boolean,
  { baseMs, maxMs }: Growth,
  resets: (call: Call, key: string) => boolean = ({ key }, of) => key === of,
): string[] {
  const wrong: string[] = [];
  let longest = 0;
  for (const key of new Set(calls.filter(fails).map((call) => call.key))) {
    let failures = 0;
    let lastEndMs = 0;
    for (const call of calls) {
      const isFailure = call.key === key && fails(call);
      if (!isFailure && resets(call, key)) failures = 0;
      if (!isFailure) continue;
      const waitedMs = call.startMs - lastEndMs + EARLY_MS;
      const wantedMs = Math.min(maxMs, baseMs * 2 ** (failures - 1));
      if (failures > 0 && waitedMs < wantedMs) {
        wrong.push(`${key} came again after ${waitedMs} ms, not ${wantedMs} ms`);
      }
      failures += 1;
      longest = Math.max(longest, failures);
      lastEndMs = call.endMs;
    }
  }
  if (longest >= ENOUGH_FAILURES) return wrong;
  return [...wrong, `no call failed more than ${longest} times in a row: no wait can be seen grow`];
}

/** The most failures in a row, until now, of one call that fits. */
export function failuresInARow({ calls }: Pick<Scene, 'calls'>, fails: (call: Call) => boolean) {
  const counts = new Map<string, number>();
  for (const call of calls) {
    counts.set(call.key, fails(call) ? (counts.get(call.key) ?? 0) + 1 : 0);
  }
  return Math.max(0, ...counts.values());
}

/** Calls of these names that began although a 429 to one of them had asked for time. */
export function calledInPause(
  { calls }: Pick<Scene, 'calls'>,
  names: readonly string[],
  pauseMs: number,
): string[] {
  const own = calls.filter(({ key }) => names.includes(key.split(' ')[0] ?? ''));
  return own.filter(isLimited).flatMap(({ endMs }) =>
    own
      .filter(({ startMs }) => startMs > endMs + UNDER_WAY_MS)
      .filter(({ startMs }) => startMs < endMs + pauseMs - EARLY_MS)
      .map(({ key, startMs }) => {
        const afterMs = Math.round(startMs - endMs);
        return `${key} began ${afterMs} ms after a 429 that asked for ${pauseMs} ms`;
      }),
  );
}

/** Calls that were repeated before the time that a 429 had named. */
export function repeatedEarly({ calls }: Pick<Scene, 'calls'>, pauseMs: number): string[] {
  return calls.filter(isLimited).flatMap((call) => {
    const next = calls.find(({ key, startMs }) => key === call.key && startMs >= call.endMs);
    if (next === undefined) return [`${call.key} never came again`];
    const waitedMs = next.startMs - call.endMs + EARLY_MS;
    return waitedMs < pauseMs ? [`${call.key} came again after ${waitedMs} ms`] : [];
  });
}

function isLimited({ weather }: Call): boolean {
  return weather?.includes('HTTP 429') === true;
}
