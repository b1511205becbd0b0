/** The real service under random and mutated requests; the runner sends hundreds of thousands. */

import { expect, onTestFinished, test } from 'vitest';
import { Random } from '../simulation/random.ts';
import { KnownIds } from './known-ids.ts';
import { fuzz } from './programme.ts';
import { makeRequest } from './requests.ts';
import { onWire } from './send.ts';
import { openTarget } from './target.ts';

test('answers every request, however wrong, without a fault of its own', async () => {
  const target = await openTarget();
  onTestFinished(() => target.close());
  const seed = 11;
  const { wrong, statuses, requests } = await fuzz(target, seed, 1_500);
  expect(wrong, `npm run fuzz -- --requests 1500 --seed ${seed}`).toEqual([]);
  expect(requests).toBe(1_500);
  // Else it is always the same door that is knocked at.
  for (const status of [200, 202, 400, 401, 403, 404, 405, 415]) {
    expect([...statuses.keys()]).toContain(status);
  }
});

test('makes the same requests of the same seed, and others of another', () => {
  const routes = [
    { method: 'POST', path: '/v1/jobs', query: ['name'], bodies: ['application/jsonl'] },
    { method: 'GET', path: '/v1/jobs/{job}', query: [], bodies: [] },
  ];
  const made = (seed: number): string[] => {
    const aim = { routes, keys: ['bw_key'], ids: new KnownIds() };
    return Array.from({ length: 50 }, (_, number) => {
      const random = new Random(seed + number);
      return onWire(random, makeRequest(random, aim)).bytes.toString('base64');
    });
  };
  expect(made(1_000)).toEqual(made(1_000));
  expect(made(1_000)).not.toEqual(made(2_000));
});
