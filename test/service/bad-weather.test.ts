/** Who waits when a provider asks for time, and for how long. */

import { expect, it } from 'vitest';

import { Weather } from '../../src/domain/errors.ts';
import { chunkIdOf } from '../../src/domain/ids.ts';
import type { Notice } from '../../src/ports/notices.ts';
import type { Bell, QueueName } from '../../src/ports/work-queue.ts';
import { BadWeather } from '../../src/service/bad-weather.ts';
import type { StageAnswer, Tools } from '../../src/stages/tools.ts';
import { later, MOVED, RATE_LIMIT } from '../../src/stages/tools.ts';
import { Watch } from '../../src/stages/watch.ts';
import { JOB } from '../domain/support/samples.ts';

const MINUTE_MS = 60_000;

const RETRY = { weatherBaseMs: 100, weatherMaxMs: 1_000 };

/** Bad weather over a clock that stands still until it is set. */
function underSky() {
  const sky = { nowMs: 1_000 };
  const now = (): number => sky.nowMs;
  const clock = { wallMs: now, monotonicMs: now, sleep: () => Promise.resolve() };
  const notices: Notice[] = [];
  const weather = new BadWeather({
    clock,
    policy: { retry: RETRY } as Tools['policy'],
    notices: { tell: (notice) => void notices.push(notice) },
    watch: new Watch(clock),
  });
  return { sky, notices, weather };
}

function bell(queue: QueueName, chunk: number): Bell {
  return { queue, job: JOB, chunk: chunkIdOf(chunk), version: 1 };
}

const well = (): Promise<StageAnswer> => Promise.resolve(MOVED);

function limited(retryAfterMs: number | null): () => Promise<StageAnswer> {
  const details = { kind: 'transient', status: 429, code: null, message: 'HTTP 429' } as const;
  return () => Promise.reject(new Weather({ ...details, retryAfterMs }));
}

const never = (): Promise<StageAnswer> => Promise.reject(new Error('nobody may call now'));

it('lets the whole queue wait for as long as the provider asked, and no other', async () => {
  const { sky, weather } = underSky();
  const answer = await weather.during(bell('dispatch', 0), limited(5_000));
  expect(answer).toEqual(later(5_000, RATE_LIMIT));
  sky.nowMs += 2_000;
  expect(await weather.during(bell('dispatch', 1), never)).toEqual(later(3_000, RATE_LIMIT));
  expect(await weather.during(bell('poll', 1), well)).toBe(MOVED);
  sky.nowMs += 3_000;
  expect(await weather.during(bell('dispatch', 1), well)).toBe(MOVED);
});

it('pauses a queue for a stage that decided the wait by itself', async () => {
  const { sky, notices, weather } = underSky();
  weather.pause(bell('dispatch', 0), 400);
  expect(await weather.during(bell('dispatch', 1), never)).toEqual(later(400, RATE_LIMIT));
  sky.nowMs += 400;
  expect(await weather.during(bell('dispatch', 1), well)).toBe(MOVED);
  expect(notices).toEqual([]);
});

it('tells of a long pause at once, since nobody calls meanwhile', () => {
  const { notices, weather } = underSky();
  weather.pause(bell('dispatch', 0), 20 * MINUTE_MS);
  expect(notices).toMatchObject([{ level: 'alert', code: 'provider_unreachable' }]);
  expect(notices[0]?.message).toContain('20 minutes');
});

it('lets one chunk wait longer each time, and others go on, where nothing was asked', async () => {
  const { weather } = underSky();
  const waits: number[] = [];
  for (let times = 0; times < 5; times += 1) {
    const answer = await weather.during(bell('poll', 0), limited(null));
    if (answer.kind === 'later') waits.push(answer.delayMs);
  }
  expect(waits).toEqual([100, 200, 400, 800, 1_000]);
  expect(await weather.during(bell('poll', 1), well)).toBe(MOVED);
  await weather.during(bell('poll', 0), well);
  const afterwards = await weather.during(bell('poll', 0), limited(null));
  expect(afterwards).toMatchObject({ kind: 'later', delayMs: 100 });
});
