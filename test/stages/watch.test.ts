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
  expect(watch.has('a')).toBe(true);
  expect(watch.see('a')).toEqual({ elapsedMs: 40, times: 2 });
  expect(watch.has('b')).toBe(false);
  expect(watch.see('b')).toEqual({ elapsedMs: 0, times: 1 });
});

test('what is forgotten begins anew', () => {
  const { time, watch } = watchAt();
  watch.see('a');
  time.nowMs += 40;
  watch.forget('a');
  watch.forget('never seen');
  expect(watch.has('a')).toBe(false);
  expect(watch.see('a')).toEqual({ elapsedMs: 0, times: 1 });
});

test('of too many keys the oldest goes first', () => {
  const { watch } = watchAt();
  for (let key = 0; key <= 200_000; key += 1) watch.see(`key ${key}`);
  expect(watch.see('key 200000').times).toBe(2);
  expect(watch.see('key 1').times).toBe(2);
  expect(watch.see('key 0').times).toBe(1);
});

test('what is attended runs, then is quiet for as long as was promised', () => {
  const { time, watch } = watchAt();
  expect(watch.attended('job')).toEqual({ answers: 0, isRunning: false, quietMs: 0, promiseMs: 0 });
  const first = watch.attend('job');
  const second = watch.attend('job');
  expect(watch.attended('job')).toEqual({ answers: 0, isRunning: true, quietMs: 0, promiseMs: 0 });
  first(500);
  second(100);
  expect(watch.attended('job')).toEqual({
    answers: 2,
    isRunning: false,
    quietMs: 500,
    promiseMs: 500,
  });
  time.nowMs += 501;
  expect(watch.attended('job')).toEqual({
    answers: 2,
    isRunning: false,
    quietMs: 0,
    promiseMs: 500,
  });
  watch.dismiss('job');
  expect(watch.attended('job').answers).toBe(0);
});

test('a late step that did nothing leaves nothing behind, and takes nothing from others', () => {
  const { watch } = watchAt();
  const late = watch.attend('job');
  watch.dismiss('job');
  const next = watch.attend('job');
  late(null);
  expect(watch.attended('job').isRunning).toBe(true);
  next(null);
  expect(watch.attended('job').isRunning).toBe(false);
});

test('a step that did nothing, or runs for hours, is no sign that somebody is at it', () => {
  const { time, watch } = watchAt();
  watch.attend('job')(null);
  expect(watch.attended('job')).toEqual({ answers: 0, isRunning: false, quietMs: 0, promiseMs: 0 });
  watch.attend('job');
  time.nowMs += 119 * 60_000;
  expect(watch.attended('job').isRunning).toBe(true);
  time.nowMs += 2 * 60_000;
  expect(watch.attended('job').isRunning).toBe(false);
});

test('after a failure a step that runs is no good sign before one has come to something', () => {
  const { watch } = watchAt();
  watch.attend('job')('failed');
  const again = watch.attend('job');
  expect(watch.attended('job').isRunning).toBe(false);
  again(0);
  watch.attend('job');
  expect(watch.attended('job')).toMatchObject({ answers: 1, isRunning: true });
});
