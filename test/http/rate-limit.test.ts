import express from 'express';
import { describe, expect, it } from 'vitest';
import type { TenantId } from '../../src/domain/ids.ts';
import { createRateLimit } from '../../src/http/rate-limit.ts';
import { UploadSlots } from '../../src/http/upload-slots.ts';
import { answerProblem, serveApp } from './support/small-app.ts';

async function limited(callsPerMinute: number) {
  const app = express();
  app.use((request, response, next) => {
    const tenant = request.headers['x-tenant'];
    if (tenant !== undefined) response.locals['principal'] = { tenant, role: 'tenant' };
    next();
  });
  app.use(createRateLimit(callsPerMinute));
  app.get('/', (_request, response) => void response.json({}));
  app.use(answerProblem);
  const port = await serveApp(app);
  return async (tenant?: string) => {
    const headers = tenant === undefined ? {} : { 'x-tenant': tenant };
    return fetch(`http://127.0.0.1:${port}/`, { headers });
  };
}

async function statusesOf(ask: () => Promise<Response>, times: number): Promise<number[]> {
  const statuses = [];
  for (let turn = 0; turn < times; turn += 1) statuses.push((await ask()).status);
  return statuses;
}

describe('the rate of calls', () => {
  it('is bounded for each tenant by itself, and for each address without one', async () => {
    const ask = await limited(3);
    const expected = [200, 200, 200, 429];
    expect(await statusesOf(() => ask('acme'), 4)).toEqual(expected);
    expect(await statusesOf(() => ask('umbrella'), 4)).toEqual(expected);
    expect(await statusesOf(() => ask(), 4)).toEqual(expected);
  });

  it('is told with every answer, and when to come back with a refusal', async () => {
    const ask = await limited(1);
    expect((await ask()).headers.get('ratelimit')).toMatch(/"calls"; r=0; t=\d+/);
    const refused = await ask();
    expect(refused.status).toBe(429);
    const seconds = Number(refused.headers.get('retry-after'));
    expect(seconds).toBeGreaterThan(0);
    expect(seconds).toBeLessThanOrEqual(60);
  });

  it('is not bounded where the limit is 0', async () => {
    const ask = await limited(0);
    expect(new Set(await statusesOf(() => ask(), 20))).toEqual(new Set([200]));
  });
});

describe('uploads at once', () => {
  it('are bounded for each tenant, and a slot is free again however its work ended', async () => {
    const slots = new UploadSlots(2);
    const [acme, umbrella] = ['acme', 'umbrella'] as [TenantId, TenantId];
    const running = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const;
    const first = slots.within(acme, () => running[0].promise);
    const second = slots.within(acme, () => running[1].promise);
    const refused = { status: 429, code: 'too_many_uploads', headers: { 'retry-after': '5' } };
    await expect(slots.within(acme, async () => 1)).rejects.toMatchObject(refused);
    expect(await slots.within(umbrella, async () => 2)).toBe(2);
    running[0].reject(new Error('cut'));
    await expect(first).rejects.toThrow('cut');
    expect(await slots.within(acme, async () => 3)).toBe(3);
    running[1].resolve();
    await second;
  });
});
