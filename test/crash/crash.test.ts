/**
 * A few crash points with one seed each, so that the machinery of `npm run crash` works when it
 * is needed, and that it reports what it must.
 */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { temporaryFolder } from '../support/temporary-folder.ts';
import { type CaseTools, runCase } from './cases.ts';
import { ObjectNames } from './objects.ts';
import { eventsWithoutPoints, isKillPoint, readPoints } from './points.ts';
import { failureText, isGood } from './programme.ts';
import { References } from './references.ts';
import { type SharedRedis, startSharedRedis } from './shared-redis.ts';
import { ordersIn, strikeEnvironment } from './strike.ts';
import { Striker } from './striker.ts';

const SEED = 3;

/** Many programs start here: on a machine with other work that takes its time. */
const PATIENCE_MS = 300_000;

/** One of each kind: an append, a write, a rename, a request, a ring, in the main and a thread. */
const STRUCK = [
  'run key: after link',
  'scratch plan requests.jsonl: torn write',
  'call upload: torn send',
  'chunk event submitting: after link',
  'call create: before send',
  'call create: after answer',
  'scratch collect output.jsonl: torn write',
  'part: after rename',
  'bell merge: before ring',
  'delivered result: torn copy',
];

describe.concurrent('a kill at a crash point is made good', { timeout: PATIENCE_MS }, () => {
  let redis: SharedRedis;
  let tools: CaseTools;

  beforeAll(async () => {
    redis = await startSharedRedis();
    tools = { references: new References(), redisUrl: redis.url, keeps: false };
  });

  afterAll(() => redis.close());

  test.each(STRUCK)('%s', async (point) => {
    const report = await runCase(point, SEED, ['journey'], tools);
    expect(isGood(report), failureText(report)).toBe(true);
    expect(report.deaths).toBeGreaterThan(0);
  });

  test('a point that no journey reaches fails its case', async () => {
    const report = await runCase('call create: after lunch', SEED, ['refusal'], tools);
    expect(report.isReached).toBe(false);
    expect(isGood(report)).toBe(false);
    expect(failureText(report)).toContain('the point was not reached');
  });
});

test('every struck point of this file is one that the programme strikes too', async () => {
  const points = await readPoints();
  expect(STRUCK.filter((point) => !points.has(point) || !isKillPoint(point))).toEqual([]);
});

test('every event of jobs and chunks has a point at which the programme kills', async () => {
  const points = await readPoints();
  expect(eventsWithoutPoints(points)).toEqual([]);
  const without = [...points].filter(([point]) => !point.startsWith('chunk event drained'));
  expect(eventsWithoutPoints(new Map(without))).toEqual(['chunk event drained']);
});

test('orders come through the environment as they were given', () => {
  const orders = { strikes: [{ point: 'part: *', occurrence: 2, action: 'EIO' }] } as const;
  expect(ordersIn(strikeEnvironment(orders))).toEqual(orders);
  expect(ordersIn({})).toEqual({ strikes: [] });
});

test('a strike with a code fails the ordered occurrences and no other', async () => {
  const folder = await temporaryFolder();
  const reportTo = join(folder, 'report');
  const striker = new Striker({
    strikes: [{ point: 'part: * write', occurrence: 2, action: 'ENOSPC', count: 2 }],
    reportTo,
  });
  const reach = (): unknown => {
    try {
      striker.reach('part', 'before', 'write');
      return null;
    } catch (error) {
      return (error as NodeJS.ErrnoException).code;
    }
  };
  expect([reach(), reach(), reach(), reach()]).toEqual([null, 'ENOSPC', 'ENOSPC', null]);
  expect(await readFile(reportTo, 'utf8')).toBe('part: before write\n'.repeat(2));
});

test('an unfinished write is named for what is written to it', () => {
  const names = new ObjectNames();
  const path = '/data/store/.tmp/write.1b2c3d4e-1-2-0123456789abcdef';
  expect(names.of(path)).toBe('unfinished write');
  const event = { eventId: 'x', event: { type: 'submitted', adopted: true } };
  names.learn(path, Buffer.from(JSON.stringify(event)));
  expect(names.of(path)).toBe('chunk event submitted by adoption');
  expect(names.of('/home/somebody/notes.txt')).toBeNull();
});
