import type { IncomingMessage } from 'node:http';
import { PassThrough } from 'node:stream';
import { expect, it, onTestFinished, vi } from 'vitest';
import { ClientWatch } from '../../src/http/client-watch.ts';
import type { Problem } from '../../src/http/problem.ts';

it('cuts nobody who keeps sending, however long it takes, and who falls silent in time', () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const told: Problem[] = [];
  const request = new PassThrough();
  // Of a request only its stream is watched.
  const watch = new ClientWatch(request as unknown as IncomingMessage, 500, (problem) => {
    told.push(problem);
  });
  onTestFinished(() => watch.stop());
  for (let sent = 0; sent < 20; sent += 1) {
    vi.advanceTimersByTime(450);
    request.emit('data', Buffer.from('more\n'));
  }
  expect(told).toEqual([]);
  expect(watch.receivedBytes).toBe(100);
  vi.advanceTimersByTime(499);
  expect(told).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(told.map(({ status, code }) => [status, code])).toEqual([[408, 'too_slow']]);
});
