import { expect, test } from 'vitest';
import { retryAfterMs } from '../../../src/adapters/openai/retry-after.ts';

const wait = (headers: Record<string, string>) => retryAfterMs((name) => headers[name] ?? null);

test.each([
  [{ 'retry-after': '120' }, 120_000],
  [{ 'retry-after': ' 0.5 ' }, 500],
  [{ 'retry-after': '0' }, 0],
  [{ 'retry-after-ms': '1500', 'retry-after': '7' }, 1_500],
  [{ 'retry-after-ms': 'soon', 'retry-after': '7' }, 7_000],
  [{ 'retry-after': '999999999' }, 86_400_000],
  [{ 'retry-after': '-5' }, null],
  [{ 'retry-after': 'later' }, null],
  [{ 'retry-after': '' }, null],
  [{}, null],
])('%j asks for %j ms', (headers, expected) => {
  expect(wait(headers)).toBe(expected);
});

test("a date is counted from the server's clock, however wrong ours is", () => {
  const date = 'Thu, 01 Jan 1998 00:00:00 GMT';
  expect(wait({ date, 'retry-after': 'Thu, 01 Jan 1998 00:05:00 GMT' })).toBe(300_000);
  expect(wait({ date, 'retry-after': 'Wed, 31 Dec 1997 00:00:00 GMT' })).toBe(0);
});

test('without a date of the server it is counted from our clock', () => {
  const asked = wait({ 'retry-after': new Date(Date.now() + 600_000).toUTCString() });
  expect(asked).toBeGreaterThan(590_000);
  expect(asked).toBeLessThanOrEqual(600_000);
});
