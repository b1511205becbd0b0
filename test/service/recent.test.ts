import { expect, it } from 'vitest';
import type { Clock } from '../../src/ports/clock.ts';
import { Recent } from '../../src/service/recent.ts';

function made() {
  let nowMs = 0;
  const clock: Clock = { wallMs: () => 0, monotonicMs: () => nowMs, sleep: async () => undefined };
  const pass = (ms: number): void => {
    nowMs += ms;
  };
  return { recent: new Recent<string, number>(clock, 1_000), pass };
}

it('shares one look among all who ask while it runs and a second after', async () => {
  const { recent, pass } = made();
  let looks = 0;
  const look = async (): Promise<number> => (looks += 1);
  expect(await Promise.all([recent.get('a', look), recent.get('a', look)])).toEqual([1, 1]);
  pass(999);
  expect(await recent.get('a', look)).toBe(1);
  expect(await recent.get('b', look)).toBe(2);
  pass(1);
  expect(await recent.get('a', look)).toBe(3);
});

it('keeps a look that was dear for nine times as long as it took', async () => {
  const { recent, pass } = made();
  const dear = async (): Promise<number> => {
    pass(400);
    return 1;
  };
  await recent.get('a', dear);
  pass(3_599);
  expect(await recent.get('a', async () => 2)).toBe(1);
  pass(1);
  expect(await recent.get('a', async () => 2)).toBe(2);
});

it('forgets a look that failed', async () => {
  const { recent } = made();
  const fail = async (): Promise<number> => Promise.reject(new Error('no'));
  await expect(recent.get('a', fail)).rejects.toThrow('no');
  expect(await recent.get('a', async () => 2)).toBe(2);
});
