import { expect, test } from 'vitest';

import { VirtualClock } from '../../src/simulator/clock.ts';
import { EventLog } from '../../src/simulator/events.ts';

function manualClock(): VirtualClock {
  return new VirtualClock({ startAtMs: 1000, factor: 1, manual: true });
}

test('advancing wakes sleepers in the order of their times and at them', async () => {
  const clock = manualClock();
  const woken: [string, number][] = [];
  for (const [name, dueMs] of [
    ['late', 1500],
    ['early', 1200],
  ] as const) {
    void clock.run(async () => {
      await clock.sleepUntil(dueMs, name);
      woken.push([name, clock.nowMs()]);
      await clock.sleepUntil(dueMs + 1000, name);
      woken.push([name, clock.nowMs()]);
    });
  }
  await clock.advance(600);
  expect(woken).toEqual([
    ['early', 1200],
    ['late', 1500],
  ]);
  expect(clock.nowMs()).toBe(1600);
  await clock.advance(5000);
  expect(woken.slice(2)).toEqual([
    ['early', 2200],
    ['late', 2500],
  ]);
});

test('an interrupted sleeper wakes early, others sleep on', async () => {
  const clock = manualClock();
  const woken: string[] = [];
  for (const name of ['a', 'b']) {
    void clock.run(async () => {
      await clock.sleepUntil(9000, name);
      woken.push(name);
    });
  }
  clock.interrupt('b');
  await clock.quiet();
  expect(woken).toEqual(['b']);
  expect(clock.nowMs()).toBe(1000);
});

test('a running clock runs by its factor and stands while paused', async () => {
  const clock = new VirtualClock({ startAtMs: 0, factor: 10_000, manual: false });
  await clock.run(() => clock.sleepUntil(100_000, 'x'));
  expect(clock.nowMs()).toBeGreaterThanOrEqual(100_000);
  clock.pause();
  const pausedMs = clock.nowMs();
  await clock.advance(500);
  expect(clock.nowMs()).toBe(pausedMs + 500);
  clock.resume();
  await clock.run(() => clock.sleepUntil(pausedMs + 20_000, 'x'));
  expect(clock.nowMs()).toBeGreaterThanOrEqual(pausedMs + 20_000);
  await expect(clock.advance(1)).rejects.toThrow('manual or a paused clock');
});

test('closing ends every sleeper and waits for those at work', async () => {
  const clock = manualClock();
  let cleaned = 0;
  const task = clock.run(async () => {
    try {
      await clock.sleepUntil(9000, 'x');
    } finally {
      await Promise.resolve();
      cleaned++;
    }
  });
  await clock.close();
  expect(cleaned).toBe(1);
  await task;
});

test('a latch sees past events, or only later ones, and gives up at last', async () => {
  const log = new EventLog();
  log.emit({ type: 'file_deleted', fileId: 'one' });
  expect((await log.until('file_deleted')).fileId).toBe('one');
  const later = log.until('file_deleted', () => true, { after: log.count });
  log.emit({ type: 'file_deleted', fileId: 'two' });
  expect((await later).fileId).toBe('two');
  const never = log.until('file_deleted', ({ fileId }) => fileId === 'three', { deadlineMs: 20 });
  await expect(never).rejects.toThrow('no fitting file_deleted within 20 ms');
});
