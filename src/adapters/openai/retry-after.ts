/** How long the provider asks to be left alone. */

/** Longer wishes are cut to a day: no queue may sleep for ever on one header. */
const MAX_MS = 24 * 60 * 60 * 1_000;

/**
 * Milliseconds from `retry-after-ms`, else `retry-after` in seconds or as a date; null where
 * neither can be read. A date is counted from the server's own clock where the answer tells it.
 */
export function retryAfterMs(header: (name: string) => string | null): number | null {
  const exact = numberIn(header('retry-after-ms'));
  if (exact !== null) return bounded(exact);
  const value = header('retry-after');
  const seconds = numberIn(value);
  if (seconds !== null) return bounded(seconds * 1_000);
  const until = dateIn(value);
  if (Number.isNaN(until)) return null;
  const serverNow = dateIn(header('date'));
  return bounded(until - (Number.isNaN(serverNow) ? Date.now() : serverNow));
}

function numberIn(value: string | null): number | null {
  const trimmed = value?.trim() ?? '';
  return /^\d+(\.\d+)?$/.test(trimmed) ? Number(trimmed) : null;
}

/** NaN where it is no HTTP date; `Date.parse` alone takes `-5` for a day in 2001. */
function dateIn(value: string | null): number {
  return /^\s*[a-z]{3,9},? /i.test(value ?? '') ? Date.parse(value ?? '') : Number.NaN;
}

function bounded(ms: number): number {
  return Math.min(MAX_MS, Math.max(0, Math.round(ms)));
}
