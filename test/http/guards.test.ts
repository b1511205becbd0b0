import { request as httpRequest } from 'node:http';
import express from 'express';
import { describe, expect, it } from 'vitest';
import type { GuardRules } from '../../src/http/guards.ts';
import { guards } from '../../src/http/guards.ts';
import { answerProblem, rawRequest, serveApp } from './support/small-app.ts';

async function guarded(rules: Partial<GuardRules> = {}) {
  const app = express();
  const all = { boundHost: '127.0.0.1', allowedHosts: [], allowedOrigins: [], ...rules };
  for (const guard of guards(all)) app.use(guard);
  app.get('/', (_request, response) => void response.json({ fine: true }));
  app.all('/', (_request, response) => void response.status(405).end());
  app.use(answerProblem);
  const port = await serveApp(app);
  const get = async (headers: Record<string, string>, method = 'GET') =>
    new Promise<{ status: number; headers: Record<string, unknown> }>((resolve, reject) => {
      httpRequest({ host: '127.0.0.1', port, headers, method }, (response) => {
        response.resume();
        resolve({ status: response.statusCode ?? 0, headers: response.headers });
      })
        .on('error', reject)
        .end();
    });
  return { port, get };
}

describe('the Host of a call', () => {
  it('must be a loopback name, at any port, or what was allowed', async () => {
    const allowedHosts = ['api', 'batches.example.com:8443'];
    const { get, port } = await guarded({ allowedHosts });
    const hosts = [
      `127.0.0.1:${port}`,
      'localhost:9999',
      'LOCALHOST',
      '[::1]:80',
      'api:1234',
      'batches.example.com:8443',
    ];
    for (const host of hosts) {
      expect({ host, status: (await get({ host })).status }).toEqual({ host, status: 200 });
    }
  });

  it('is refused where it is any other, or none', async () => {
    const { get, port } = await guarded({ allowedHosts: ['batches.example.com:8443'] });
    const hosts = [
      'evil.example',
      `evil.example:${port}`,
      'localhost.evil.example',
      '127.0.0.1.evil.example',
      '127.0.0.2',
      'batches.example.com',
      'localhost@evil.example',
      'evil.example/localhost',
      '[::1',
    ];
    for (const host of hosts) {
      expect({ host, status: (await get({ host })).status }).toEqual({ host, status: 421 });
    }
    const old = await rawRequest(port, 'GET / HTTP/1.0\r\n\r\n');
    expect(old.status).toBe(421);
  });

  it('may be the address that the connection came in on', async () => {
    const { port, get } = await guarded({ boundHost: '0.0.0.0' });
    expect((await get({ host: `127.0.0.1:${port}` })).status).toBe(200);
    expect((await get({ host: '10.0.0.1' })).status).toBe(421);
  });
});

describe('the Origin of a call', () => {
  it('must be the service itself or what was allowed', async () => {
    const { get, port } = await guarded({ allowedOrigins: ['https://front.example.com'] });
    const host = `localhost:${port}`;
    const cases = [
      [`http://localhost:${port}`, 200],
      [`https://localhost:${port}`, 200],
      ['https://front.example.com', 200],
      ['http://front.example.com', 403],
      ['https://front.example.com.evil.example', 403],
      ['http://localhost:1', 403],
      ['http://localhost', 403],
      ['null', 403],
      ['nonsense', 403],
      ['', 403],
    ] as const;
    for (const [origin, status] of cases) {
      const answer = await get({ host, origin });
      expect({ origin, status: answer.status }).toEqual({ origin, status });
    }
  });
});

describe('a page of an allowed origin', () => {
  const origin = 'https://front.example.com';
  const asked = {
    host: 'localhost',
    'access-control-request-method': 'DELETE',
    'access-control-request-headers': 'authorization',
  };
  const granted = (headers: Record<string, unknown>) =>
    Object.fromEntries(
      Object.entries(headers).filter(([name]) => /^(vary|access-control-.*)$/.test(name)),
    );

  it('is told by which calls it may come, and what it may read of the answers', async () => {
    const { get } = await guarded({ allowedOrigins: [origin] });
    const always = {
      'access-control-allow-origin': origin,
      'access-control-expose-headers': 'Location, Retry-After, X-Request-Id',
      vary: 'Origin',
    };
    const preflight = await get({ ...asked, origin }, 'OPTIONS');
    expect([preflight.status, granted(preflight.headers)]).toEqual([
      204,
      {
        ...always,
        'access-control-allow-methods': 'GET, HEAD, POST, DELETE',
        'access-control-allow-headers': 'Authorization, Content-Type, Idempotency-Key',
      },
    ]);
    const answer = await get({ host: 'localhost', origin });
    expect([answer.status, granted(answer.headers)]).toEqual([200, always]);
    expect((await get({ host: 'localhost', origin }, 'OPTIONS')).status).toBe(405);
  });

  it('is the only one that is told anything', async () => {
    const { get } = await guarded({ allowedOrigins: [origin] });
    const other = await get({ ...asked, origin: 'https://evil.example' }, 'OPTIONS');
    expect([other.status, granted(other.headers)]).toEqual([403, {}]);
    const own = await get({ ...asked, origin: 'http://localhost' }, 'OPTIONS');
    expect([own.status, granted(own.headers)]).toEqual([405, {}]);
    const none = await get({ host: 'localhost' });
    expect([none.status, granted(none.headers)]).toEqual([200, {}]);
  });
});

describe('every answer', () => {
  it('says what a browser may do with it, refusals too', async () => {
    const { get } = await guarded();
    for (const host of ['localhost', 'evil.example']) {
      const { headers } = await get({ host });
      expect(headers['content-security-policy']).toMatch(/^default-src 'self';/);
      expect(headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'cache-control': 'no-store',
        'referrer-policy': 'no-referrer',
        'x-frame-options': 'SAMEORIGIN',
        'cross-origin-resource-policy': 'same-origin',
      });
    }
  });
});
