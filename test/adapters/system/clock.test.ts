import { getEventListeners } from 'node:events';

import { describe, expect, it, onTestFinished, vi } from 'vitest';

import { createSystemClock } from '../../../src/adapters/system/clock.ts';

const clock = createSystemClock();

describe('the system clock', () => {
  it('tells the wall time in milliseconds since 1970', () => {
    const before = Date.now();
    const told = clock.wallMs();
    expect(told).toBeGreaterThanOrEqual(before);
    expect(told).toBeLessThanOrEqual(Date.now());
  });

  it('never sleeps less than it was asked for', async () => {
    for (const ms of [0.4, 1, 3, 7]) {
      const before = clock.monotonicMs();
      await clock.sleep(ms);
      expect(clock.monotonicMs() - before).toBeGreaterThanOrEqual(ms);
    }
  });

  it('does not sleep for a time that is over', async () => {
    const setTimer = vi.spyOn(globalThis, 'setTimeout');
    await clock.sleep(0);
    await clock.sleep(-5);
    expect(setTimer).not.toHaveBeenCalled();
  });

  it('wakes at once when the signal is aborted', async () => {
    const controller = new AbortController();
    const sleep = clock.sleep(3_600_000, controller.signal);
    controller.abort();
    await sleep;
    const before = clock.monotonicMs();
    await clock.sleep(3_600_000, controller.signal);
    expect(clock.monotonicMs() - before).toBeLessThan(60_000);
  });

  it('leaves no listener on a signal that was not aborted', async () => {
    const controller = new AbortController();
    await clock.sleep(1, controller.signal);
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  });

  it('sleeps longer than a timer of node can, instead of not at all', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    onTestFinished(() => void vi.useRealTimers());
    let isAwake = false;
    const sleep = clock.sleep(2 ** 36).then(() => {
      isAwake = true;
    });
    await vi.advanceTimersByTimeAsync(2 ** 36 - 1);
    expect(isAwake).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    await sleep;
  });
});
