import { describe, expect, test } from 'vitest';

import { createLog } from '../../src/adapters/log/log.ts';
import { openOperations } from '../../src/composition/operations.ts';
import { problem } from '../../src/http/contract/problem.ts';
import { alive, readiness } from '../../src/http/contract/operations.ts';
import { parseTenantId } from '../../src/domain/ids.ts';
import { AccessKeys } from '../../src/service/access-keys.ts';
import { OwnRedis } from '../outages/own-redis.ts';
import { eventually } from '../support/program.ts';
import type { ServiceScene } from '../support/service.ts';
import { call, openServiceScene } from '../support/service.ts';
import { faultsOf } from './openai-schemas.ts';
import { asInput, requestLine } from '../support/sets.ts';

const JSONL = { 'content-type': 'application/jsonl' };

function submit(url: string, lines: readonly string[], more: Record<string, string> = {}) {
  return call('POST', `${url}/v1/jobs`, { body: asInput(lines), headers: { ...JSONL, ...more } });
}

async function keyOf({ store }: ServiceScene, tenant: string, role: 'tenant' | 'admin') {
  const keys = new AccessKeys(store.blobs, store.ids, store.clock);
  const id = parseTenantId(tenant);
  if (id === null) throw new Error('a tenant');
  const { text } = await keys.create({ tenant: id, name: 'test', role });
  return { authorization: `Bearer ${text}` };
}

describe('a service that is well', () => {
  test('says that it lives and is ready, and shows its reference', async () => {
    const { url } = await openServiceScene({ workers: false });
    const health = await call('GET', `${url}/healthz`);
    expect([health.status, alive.parse(health.json).status]).toEqual([200, 'ok']);
    const ready = await call('GET', `${url}/readyz`);
    expect(ready.status).toBe(200);
    const { status, checks } = readiness.parse(ready.json);
    expect(status).toBe('ready');
    expect(checks.map(({ name, ok }) => [name, ok])).toEqual([
      ['redis', true],
      ['store', true],
      ['room', true],
    ]);
    const document = await call('GET', `${url}/openapi.json`);
    const paths = Object.keys(document.json['paths'] as object);
    expect(paths).toEqual(expect.arrayContaining(['/v1/jobs', '/v1/files', '/docs', '/metrics']));
    const page = await call('GET', `${url}/docs`);
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(page.headers.get('content-security-policy')).toMatch(/^default-src 'self'/);
    expect(page.text).toContain('id="createJob"');
    const [, style = ''] = /<link rel="stylesheet" href="([^"]+)"/.exec(page.text) ?? [];
    const sheet = await call('GET', `${url}${style}`);
    expect(sheet.headers.get('content-type')).toBe('text/css; charset=utf-8');
  });

  test('answers at every path of its reference, which leaves out none of its pages', async () => {
    const scene = await openServiceScene({ workers: false });
    const { json } = await call('GET', `${scene.url}/openapi.json`);
    const paths = Object.keys(json['paths'] as object);
    for (const path of paths) {
      // What is there is not for this method, or not for everybody.
      const { status } = await call('PUT', scene.url + path);
      expect([401, 403, 405], path).toContain(status);
    }
    expect((await call('PUT', `${scene.url}/v1/other`)).status).toBe(404);
    const draining = new AbortController().signal;
    const log = createLog({ level: 'silent', write: () => undefined, secrets: [] });
    const operations = openOperations({ ...scene, log, draining });
    expect(operations.pages.length).toBeGreaterThan(0);
    for (const { path } of operations.pages) expect(paths).toContain(path);
  });

  test('says that nothing is there as each kind of client reads it', async () => {
    const { url } = await openServiceScene({ workers: false });
    for (const path of ['/v1/models', '/v1/uploads/x', '/v1', '/v1/files/a/b']) {
      const { status, json } = await call('GET', url + path);
      expect([path, status, faultsOf('ErrorResponse', json)]).toEqual([path, 404, []]);
    }
    for (const path of ['/v1/jobs/a/b', '/v1/webhooks/other', '/other', '/v10/files']) {
      const { status, json } = await call('GET', url + path);
      expect([path, status, problem.parse(json).code]).toEqual([path, 404, 'not_found']);
    }
    const { json } = await call('PUT', `${url}/v1/jobs`);
    expect(json['detail']).toBe('This path does not take PUT; it takes POST, GET.');
  });

  test('counts what its jobs did, and names no tenant, key, id or prompt', async () => {
    const scene = await openServiceScene();
    const { url, lines } = scene;
    const own = await keyOf(scene, 'canary-tenant', 'tenant');
    const admin = await keyOf(scene, 'operators', 'admin');
    const set = ['canary-1', 'canary-2', 'canary-3'].map((id) => requestLine(id));
    const made = await submit(url, set, own);
    expect(made.status).toBe(202);
    const id = String(made.json['id']);
    await eventually(async () => {
      const { json } = await call('GET', `${url}/v1/jobs/${id}`, { headers: own });
      expect(json['status']).toBe('completed');
    });
    expect((await call('GET', `${url}/metrics`)).status).toBe(401);
    expect((await call('GET', `${url}/metrics`, { headers: own })).status).toBe(403);
    const { status, text, headers } = await call('GET', `${url}/metrics`, { headers: admin });
    expect([status, headers.get('content-type')]).toEqual([
      200,
      expect.stringMatching(/^text\/plain/),
    ]);
    const value = (name: string): number => {
      const line = text.split('\n').find((one) => one.startsWith(`${name} `));
      return Number(line?.slice(name.length + 1));
    };
    expect(value('batchwright_provider_calls_total{operation="createBatch",outcome="ok"}')).toBe(1);
    expect(value('batchwright_provider_calls_total{operation="upload",outcome="ok"}')).toBe(1);
    const sent = asInput(set).length;
    expect(value('batchwright_provider_bytes_total{direction="sent"}')).toBeGreaterThanOrEqual(
      sent,
    );
    expect(value('batchwright_provider_bytes_total{direction="received"}')).toBeGreaterThan(sent);
    const posts = 'batchwright_http_requests_total{method="POST",route="/v1/jobs",status="202"}';
    expect(value(posts)).toBe(1);
    expect(value('batchwright_queue_bells{queue="poll",state="active"}')).toBe(0);
    expect(text).toContain('process_cpu_seconds_total');
    expect(text).not.toMatch(/canary|operators|bw_|job_[0-9a-z]{26}|batch_[0-9a-f]{8}|file-/);
    // The log names who called, and still no key, no request and no answer.
    const log = lines.join('');
    expect(log).toContain('"tenant":"canary-tenant"');
    expect(log).not.toMatch(/canary-\d|Classify|bw_[a-z0-9]+_/);
  });

  test('shows figures to everybody on loopback as long as there is no key', async () => {
    const { url } = await openServiceScene({ workers: false });
    expect((await call('GET', `${url}/metrics`)).status).toBe(200);
  });

  test('shows its queues to administrators, and to nobody for touching', async () => {
    const scene = await openServiceScene();
    const { url } = scene;
    const page = `${url}/admin/queues`;
    const own = await keyOf(scene, 'acme', 'tenant');
    const admin = await keyOf(scene, 'operators', 'admin');
    expect((await call('GET', page)).status).toBe(401);
    expect((await call('GET', page, { headers: own })).status).toBe(403);
    expect((await call('GET', `${page}/api/queues`, { headers: own })).status).toBe(403);
    const shown = await call('GET', page, { headers: admin });
    expect(shown.status).toBe(200);
    expect(shown.text).toContain('Batchwright');
    const { json } = await call('GET', `${page}/api/queues`, { headers: admin });
    const queues = json['queues'] as { name: string; readOnlyMode: boolean }[];
    expect(queues.map(({ name }) => name)).toEqual(['plan', 'dispatch', 'poll', 'settle', 'merge']);
    expect(queues.every(({ readOnlyMode }) => readOnlyMode)).toBe(true);
    for (const method of ['PUT', 'POST', 'PATCH', 'DELETE']) {
      const touched = await call(method, `${page}/api/queues/poll/pause`, { headers: admin });
      expect([touched.status, touched.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    }
  });
});

describe('a Redis that takes nothing', () => {
  test('keeps new jobs out with 503 and nothing of them, and is told by readiness', async () => {
    const redis = await OwnRedis.start();
    try {
      const env = { REDIS_URL: redis.url };
      const { url, store, lines } = await openServiceScene({ env, workers: false });
      await redis.limitMemory(1);
      const full = await submit(url, [requestLine('a')]);
      expect(full.status).toBe(503);
      expect(full.json).toMatchObject({ code: 'queue_unavailable', status: 503 });
      expect(Number(full.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(await store.blobs.list('local/jobs')).toEqual([]);
      const ready = await eventually(async () => {
        const found = await call('GET', `${url}/readyz`);
        expect(found.status).toBe(503);
        return readiness.parse(found.json);
      });
      expect(ready.status).toBe('not_ready');
      expect(ready.checks.find(({ name }) => name === 'redis')?.problem).toMatch(/out of memory/);
      expect((await call('GET', `${url}/healthz`)).status).toBe(200);

      // Somebody asks every second: that it is not ready is one line all the same.
      const told = () => lines.filter((line) => line.includes('"not ready"'));
      expect(told()).toHaveLength(1);
      expect(told()[0]).toContain('redis: Redis is out of memory');

      await redis.limitMemory(0);
      expect((await submit(url, [requestLine('a')])).status).toBe(202);
      expect(await store.blobs.list('local/jobs')).toHaveLength(1);
      await eventually(async () => {
        expect((await call('GET', `${url}/readyz`)).status).toBe(200);
      });
      expect(lines.filter((line) => line.includes('"ready again"'))).toHaveLength(1);
    } finally {
      await redis.close();
    }
  });

  test('refuses before the body has come', async () => {
    const redis = await OwnRedis.start();
    try {
      const { url } = await openServiceScene({ env: { REDIS_URL: redis.url }, workers: false });
      await redis.limitMemory(1);
      // A body that never ends would keep the answer from coming, were it waited for.
      const body = new ReadableStream<Uint8Array>({
        pull: async (stream) => {
          await new Promise((resolve) => setImmediate(resolve));
          stream.enqueue(Buffer.from(`${requestLine('a')}\n`));
        },
      });
      const wish = { method: 'POST', headers: JSONL, body, duplex: 'half' } as const;
      const answer = await fetch(`${url}/v1/jobs`, wish);
      expect(answer.status).toBe(503);
      await answer.body?.cancel();
    } finally {
      await redis.close();
    }
  });
});

test('a disk without room answers 507 and keeps nothing, and readiness says so', async () => {
  const least = String(Number.MAX_SAFE_INTEGER);
  const env = { BATCHWRIGHT_MIN_FREE_BYTES: least };
  const { url, store } = await openServiceScene({ env, workers: false });
  const refused = await submit(url, [requestLine('a')]);
  expect(refused.status).toBe(507);
  expect(refused.json).toMatchObject({ code: 'no_room' });
  expect(await store.blobs.list('local/jobs')).toEqual([]);
  const { status, json } = await call('GET', `${url}/readyz`);
  expect(status).toBe(503);
  const room = readiness.parse(json).checks.find(({ name }) => name === 'room');
  expect(room?.problem).toMatch(/make room/);
});
