import { expect, it } from 'vitest';
import { eventually } from '../support/program.ts';
import { call, type Called } from '../support/service.ts';
import { asInput, requestLine } from '../support/sets.ts';
import type { TableRoute } from './support/route-table.ts';
import { filled, routeTable } from './support/route-table.ts';
import type { Things } from './support/tenants.ts';
import { bearer, JSONL, makeThings, openTenantScene } from './support/tenants.ts';

const METHODS = ['GET', 'HEAD', 'POST', 'DELETE', 'PUT', 'PATCH', 'OPTIONS'];

/** What every answer has of its own. */
const OWN_HEADERS = new Set(['date', 'x-request-id', 'ratelimit', 'ratelimit-policy']);

/** Ways to ask a route beside the plain one, where they take other paths through it. */
const VARIANTS: Readonly<Record<string, readonly string[]>> = {
  '/v1/jobs/{job}/result': ['?include=failed', '?partial=1', '?follow=1'],
  '/v1/jobs/{job}/errors': ['?view=lines', '?after=3'],
  '/v1/jobs/{job}/chunks': ['?limit=1'],
};

/** An id of the same shape that never was. */
function nobodys(id: string): string {
  return id.slice(0, -26) + '0'.repeat(26);
}

/** All that an answer says but what every one has of its own, with the ids taken out. */
function said({ status, headers, text }: Called, ...ids: string[]) {
  const kept = [...headers].filter(([name]) => !OWN_HEADERS.has(name));
  let body = text.replaceAll(/"request_id":"[^"]*"/g, '"request_id":""');
  for (const id of ids) body = body.replaceAll(id, '<id>');
  return { status, headers: Object.fromEntries(kept), body };
}

/** Every combination of what the tenant has for the route's parameters. */
function targets(route: TableRoute, things: Things): Record<string, string>[] {
  let found: Record<string, string>[] = [{}];
  for (const name of route.params) {
    const ids = things[name];
    // A new kind of id has to be made in makeThings, or its routes would go untested.
    if (ids === undefined) throw new Error(`nothing is known for {${name}} of ${route.path}`);
    found = found.flatMap((values) => ids.map((id) => ({ ...values, [name]: id })));
  }
  return found;
}

it('answers for what is another tenant’s as for what never was, on every route', async () => {
  const scene = await openTenantScene();
  const things = await makeThings(scene, scene.acme);
  const routes = (await routeTable(scene.url)).filter(({ params }) => params.length > 0);
  const paths = new Map(routes.map((route) => [route.path, route]));
  const state = async () => {
    const found: unknown[] = [];
    for (const [path, kind] of [
      ['jobs', 'job'],
      ['files', 'file'],
      ['batches', 'batch'],
    ] as const) {
      for (const id of things[kind] ?? []) {
        const url = `${scene.url}/v1/${path}/${id}`;
        const { status, json } = await call('GET', url, { headers: bearer(scene.acme) });
        found.push([id, status, json['status']]);
      }
    }
    return found;
  };
  const before = await state();
  let compared = 0;
  const compare = async (method: string, route: TableRoute, suffix: string, body?: string) => {
    for (const values of targets(route, things)) {
      const never = Object.fromEntries(
        Object.entries(values).map(([name, id]) => [name, nobodys(id)]),
      );
      const json = body === undefined ? {} : { 'content-type': 'application/json' };
      const headers = { ...bearer(scene.umbrella), ...json, range: 'bytes=0-9' };
      const ask = (ids: Record<string, string>) =>
        call(method, scene.url + filled(route, ids) + suffix, { headers, body });
      const theirs = said(await ask(values), ...Object.values(values));
      const nothing = said(await ask(never), ...Object.values(never));
      const where = `${method} ${route.path}${suffix}`;
      expect(theirs, where).toEqual(nothing);
      const isRoute = routes.some((one) => one.path === route.path && one.method === method);
      expect(theirs.status, where).toBe(isRoute || method === 'HEAD' ? 404 : 405);
      compared += 1;
    }
  };
  for (const route of paths.values()) {
    for (const method of METHODS) {
      if (
        method === 'HEAD' &&
        !routes.some((one) => one.path === route.path && one.method === 'GET')
      )
        continue;
      for (const suffix of ['', ...(method === 'GET' ? (VARIANTS[route.path] ?? []) : [])]) {
        await compare(method, route, suffix);
      }
      if (method === 'POST') await compare(method, route, '', '{}');
    }
  }
  expect(compared).toBeGreaterThan(routes.length * 4);
  expect(await state()).toEqual(before);
});

it('shows nothing of another tenant in lists, cursors, files and idempotency keys', async () => {
  const scene = await openTenantScene();
  const things = await makeThings(scene, scene.acme);
  const headers = bearer(scene.umbrella);
  const lists = (await routeTable(scene.url)).filter(
    ({ method, params, access }) => method === 'GET' && params.length === 0 && access === 'tenant',
  );
  expect(lists.map(({ path }) => path).toSorted()).toEqual([
    '/v1/batches',
    '/v1/files',
    '/v1/jobs',
  ]);
  for (const { path } of lists) {
    const all = await call('GET', scene.url + path, { headers });
    expect(all.json).toMatchObject({ data: [], has_more: false });
    const kind = path === '/v1/jobs' ? 'job' : path === '/v1/files' ? 'file' : 'batch';
    for (const id of things[kind] ?? []) {
      const ask = (after: string) => call('GET', `${scene.url}${path}?after=${after}`, { headers });
      expect(said(await ask(id), id)).toEqual(said(await ask(nobodys(id)), nobodys(id)));
    }
  }

  const [input = ''] = things['file'] ?? [];
  const batch = { endpoint: '/v1/chat/completions', completion_window: '24h' };
  for (const [path, more] of [
    ['/v1/jobs', {}],
    ['/v1/batches', batch],
  ] as const) {
    const ask = (id: string) =>
      call('POST', scene.url + path, { headers, body: { input_file_id: id, ...more } });
    const theirs = said(await ask(input), input);
    expect(theirs).toEqual(said(await ask(nobodys(input)), nobodys(input)));
    expect(theirs.status).toBeGreaterThanOrEqual(400);
  }

  const submit = async (key: string) =>
    call('POST', `${scene.url}/v1/jobs`, {
      headers: { ...bearer(key), ...JSONL, 'idempotency-key': 'the-same' },
      body: asInput([requestLine('a')]),
    });
  const [theirs, own] = [await submit(scene.acme), await submit(scene.umbrella)];
  expect([theirs.status, own.status]).toEqual([202, 202]);
  expect(own.json['id']).not.toBe(theirs.json['id']);
});

it('answers no key, a bad one and a revoked one alike, and no tenant as an admin', async () => {
  const scene = await openTenantScene();
  const never = { job: `job_${'0'.repeat(26)}`, file: `file-${'0'.repeat(26)}` };
  const ids = { ...never, batch: `batch_${'0'.repeat(26)}` };
  const wrong = [
    {},
    bearer('sk-anything'),
    bearer(scene.revoked),
    bearer(`${scene.acme.slice(0, -4)}AAAA`),
    { authorization: 'Basic eDp5' },
  ];
  const routes = (await routeTable(scene.url)).filter(({ access }) => access !== 'public');
  expect(routes.map(({ access }) => access)).toContain('admin');
  const bodies = new Map<string, unknown>();
  for (const route of routes) {
    const ask = (headers: Record<string, string>) =>
      call(route.method, scene.url + filled(route, ids), { headers });
    const answers = [];
    for (const headers of wrong) answers.push(said(await ask(headers)));
    expect(answers[0]?.status, route.path).toBe(401);
    for (const answer of answers) expect(answer, route.path).toEqual(answers[0]);
    const isOpenAi = /^\/v1\/(files|batches)/.test(route.path);
    const dialect = `${isOpenAi ? 'openai' : 'own'} ${route.method}`;
    expect(answers[0]?.body).toBe(bodies.get(dialect) ?? answers[0]?.body);
    bodies.set(dialect, answers[0]?.body);
    if (route.access === 'tenant') continue;
    expect((await ask(bearer(scene.acme))).status, route.path).toBe(403);
    expect((await ask(bearer(scene.admin))).status, route.path).toBeLessThan(400);
  }
});

it('shuts a key out that another process revokes', async () => {
  const scene = await openTenantScene();
  const headers = bearer(scene.umbrella);
  const ask = async () => (await call('GET', `${scene.url}/v1/jobs`, { headers })).status;
  expect(await ask()).toBe(200);
  await scene.keys.revoke(scene.umbrella.slice(3, 15));
  await eventually(async () => expect(await ask()).toBe(401));
});
