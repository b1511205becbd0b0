import { once } from 'node:events';
import { request } from 'node:http';

import express from 'express';
import { expect, onTestFinished, test } from 'vitest';

import type { TenantId } from '../../src/domain/ids.ts';
import { createLog } from '../../src/adapters/log/log.ts';
import { createApp } from '../../src/http/app.ts';
import type { Mounted } from '../../src/http/call.ts';
import { mount } from '../../src/http/call.ts';
import { defineRoute, NO_QUERY } from '../../src/http/contract/route.ts';
import { Problem } from '../../src/http/problem.ts';
import { errorLog, requestLog } from '../../src/http/request-log.ts';
import { listen } from '../../src/http/server.ts';
import type { EndedRequest } from '../../src/ports/metrics.ts';
import type { Desk } from '../../src/service/desk.ts';
import { eventually } from '../support/program.ts';

type Line = Record<string, unknown>;

const common = {
  tag: 'T',
  access: 'tenant',
  dialect: 'own',
  query: NO_QUERY,
  answers: {},
} as const;

function routeOf(method: 'get' | 'post', path: string, handle: Mounted['handle']): Mounted {
  return mount(defineRoute({ ...common, operation: path, summary: path, method, path }), handle);
}

/** An app with these routes behind the log. */
async function logged(mounted: readonly Mounted[]) {
  const lines: Line[] = [];
  const ended: EndedRequest[] = [];
  const write = (line: string): void => void lines.push(JSON.parse(line) as Line);
  const log = createLog({ level: 'info', write, secrets: [] });
  const metrics = { requestEnded: (one: EndedRequest): void => void ended.push(one) };
  const app = createApp({
    mounted,
    before: [requestLog({ log, metrics, nonce: () => 'n0nce' })],
    authenticate: () => Promise.resolve({ tenant: 'acme' as TenantId, role: 'tenant' }),
    limit: (_request, _response, next) => next(),
    desk: () => ({}) as Desk,
    pages: [{ path: '/page', access: 'public', handler: express.static('/nowhere') }],
    draining: new AbortController().signal,
    onError: errorLog(log),
  });
  const server = await listen(app, { host: '127.0.0.1', port: 0 });
  onTestFinished(() => server.close(0));
  const told = (count: number) => eventually(() => expect(lines).toHaveLength(count));
  return { url: `http://127.0.0.1:${server.port}`, lines, ended, told };
}

test('a request is one line with its pattern, never with what its path or query held', async () => {
  const thing = routeOf('get', '/v1/things/{thing}', async () => ({ status: 200, json: {} }));
  const { url, lines, ended, told } = await logged([thing]);
  const answer = await fetch(`${url}/v1/things/canary-id?canary=query`);
  expect(answer.status).toBe(400);
  await fetch(`${url}/v1/things/canary-id`, { headers: { authorization: 'Bearer canary' } });
  await fetch(`${url}/v1/canary`);
  await told(3);
  expect(JSON.stringify(lines)).not.toContain('canary');
  const usual = { level: 'info', message: 'request', method: 'GET', request: 'req_n0nce' };
  const own = { ...usual, route: '/v1/things/{thing}', tenant: 'acme' };
  expect(lines[0]).toMatchObject({ ...own, status: 400, code: 'unknown_parameter' });
  expect(lines[1]).toMatchObject({ ...own, status: 200 });
  expect(lines[2]).toMatchObject({ ...usual, route: 'unmatched', status: 404, code: 'not_found' });
  expect(lines[2]).not.toHaveProperty('tenant');
  for (const { ms, received_bytes: received, sent_bytes: sent } of lines) {
    expect(ms).toBeGreaterThan(0);
    expect(received).toBeGreaterThan(50);
    expect(sent).toBeGreaterThan(100);
  }
  expect(ended.map(({ route, status }) => [route, status])).toEqual([
    ['/v1/things/{thing}', 400],
    ['/v1/things/{thing}', 200],
    ['unmatched', 404],
  ]);
});

test.each([
  ['a sane id of the caller is kept', 'trace-1.2:3_A', 'trace-1.2:3_A'],
  ['an id with a space is not', 'two words', 'req_n0nce'],
  ['an id that is too long is not', 'x'.repeat(65), 'req_n0nce'],
  ['an id with markup is not', '<script>', 'req_n0nce'],
])('%s, and the answer names it', async (_, given, kept) => {
  const fails = routeOf('get', '/fails', async () => {
    throw new Problem({ status: 409, code: 'not_finished', message: 'm' });
  });
  const { url, lines, told } = await logged([fails]);
  const answer = await fetch(`${url}/fails`, { headers: { 'x-request-id': given } });
  expect(answer.headers.get('x-request-id')).toBe(kept);
  expect(await answer.json()).toMatchObject({ request_id: kept });
  await told(1);
  expect(lines[0]).toMatchObject({ request: kept, code: 'not_finished' });
});

test('what breaks is a line of its own with its stack, and the answer keeps silent', async () => {
  const breaks = routeOf('get', '/breaks', async () => {
    throw new Error('the disk said EIO');
  });
  const quotes = routeOf('get', '/quotes', async () => {
    JSON.parse('canary prompt');
    return { status: 200 };
  });
  const { url, lines, told } = await logged([breaks, quotes]);
  const answer = await fetch(`${url}/breaks`);
  expect(answer.status).toBe(500);
  expect(await answer.text()).not.toContain('EIO');
  await fetch(`${url}/quotes`);
  await told(4);
  const [first, , second] = lines;
  expect(first).toMatchObject({ level: 'error', route: '/breaks', reason: 'the disk said EIO' });
  expect(first?.['stack']).toMatch(/request-log\.test/);
  expect(lines[1]).toMatchObject({ level: 'warn', status: 500, code: 'internal' });
  // A parser quotes what it was given, and that is somebody's data.
  expect(second).toMatchObject({ level: 'error', cause: 'SyntaxError' });
  expect(JSON.stringify(lines)).not.toContain('canary');
});

test('bytes of requests that share a connection are counted once each', async () => {
  const sink = routeOf('post', '/sink', async ({ request: body }) => {
    for await (const block of body) void block;
    return { status: 200, json: {} };
  });
  const { url, ended } = await logged([sink]);
  const sizes = [100_000, 1_000, 50_000];
  for (const size of sizes) {
    const answer = await fetch(`${url}/sink`, { method: 'POST', body: Buffer.alloc(size) });
    await answer.text();
  }
  await eventually(() => expect(ended).toHaveLength(3));
  for (const [index, size] of sizes.entries()) {
    const received = ended[index]?.receivedBytes ?? 0;
    expect(received).toBeGreaterThan(size);
    expect(received).toBeLessThan(size + 2_000);
  }
});

test('a client that goes before its answer is logged as gone', async () => {
  const entered = Promise.withResolvers<void>();
  const waits = routeOf('get', '/waits', async ({ signal }) => {
    entered.resolve();
    await once(signal, 'abort');
    return { status: 200, json: {} };
  });
  const { url, lines, told } = await logged([waits]);
  const call = request(`${url}/waits`).on('error', () => undefined);
  call.end();
  await entered.promise;
  call.destroy();
  await told(1);
  expect(lines[0]).toMatchObject({ route: '/waits', status: 499, cut: true });
});

test('a page of another maker is named by where it is mounted', async () => {
  const { url, lines, told } = await logged([]);
  await fetch(`${url}/page/with/canary`);
  await told(1);
  expect(lines[0]).toMatchObject({ route: '/page', status: 404 });
});
