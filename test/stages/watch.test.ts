import { expect, test } from 'vitest';
import { Watch } from '../../src/stages/watch.ts';

function watchAt() {
  const time = { nowMs: 1_000 };
  const clock = { wallMs: () => 0, monotonicMs: () => time.nowMs, sleep: async () => {} };
  return { time, watch: new Watch(clock) };
}

test('the first look begins the time, each look counts', () => {
  const { time, watch } = watchAt();
  expect(watch.see('a')).toEqual({ elapsedMs: 0, times: 1 });
  time.nowMs += 40;
  expect(watch.see('a')).toEqual({ elapsedMs: 40, times: 2 });
  expect(watch.see('b')).toEqual({ elapsedMs: 0, times: 1 });
});

test('what is forgotten begins anew', () => {
  const { time, watch } = watchAt();
  watch.see('a');
  time.nowMs += 40;
  watch.forget('a');
  watch.forget('never seen');
  expect(watch.see('a')).toEqual({ elapsedMs: 0, times: 1 });
});

test('of too many keys the oldest goes first', () => {
  const { watch } = watchAt();
  for (let key = 0; key <= 200_000; key += 1) watch.see(`key ${key}`);
  expect(watch.see('key 200000').times).toBe(2);
  expect(watch.see('key 1').times).toBe(2);
  expect(watch.see('key 0').times).toBe(1);
});
