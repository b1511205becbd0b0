import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { createLog } from '../../src/adapters/log/log.ts';
import { openService } from '../../src/composition/serve.ts';
import { openPlace } from '../support/command.ts';
import { eventually } from '../support/program.ts';
import { call, openServiceScene } from '../support/service.ts';
import type { ServiceScene } from '../support/service.ts';
import { asInput, requestLine } from '../support/sets.ts';
import { rawRequest } from './support/small-app.ts';
import { JSONL } from './support/tenants.ts';

const ONE = asInput([requestLine('a')]);

/** A service that nobody works for, without limits that a test does not ask for. */
async function service(env: Record<string, string> = {}) {
  const scene = await openServiceScene({ workers: false, env });
  const refusal = async (path: string, body: unknown, headers: Record<string, string> = {}) => {
    const { status, json } = await call('POST', scene.url + path, { body, headers });
    return { status, code: json['code'], param: json['param'], errors: json['errors'] };
  };
  const upload = async (content: string | Uint8Array<ArrayBuffer>, filename = 'in.jsonl') => {
    const form = new FormData();
    form.set('purpose', 'batch');
    form.set('file', new Blob([content]), filename);
    const answer = await fetch(`${scene.url}/v1/files`, { method: 'POST', body: form });
    return { status: answer.status, json: (await answer.json()) as Record<string, unknown> };
  };
  return { ...scene, refusal, upload };
}

function portOf({ url }: ServiceScene): number {
  return Number(new URL(url).port);
}

describe('a body of JSON', () => {
  it('is at most 1 MB long and 64 levels deep, and has known fields only', async () => {
    const { refusal } = await service();
    const big = { input_file_id: 'x'.repeat(1_000_001) };
    expect(await refusal('/v1/jobs', big)).toMatchObject({ status: 413, code: 'body_too_large' });
    const json = { 'content-type': 'application/json' };
    const deep = `{"metadata":${'['.repeat(65)}${']'.repeat(65)}}`;
    const nested = { status: 400, code: 'nested_too_deep' };
    expect(await refusal('/v1/jobs', deep, json)).toMatchObject(nested);
    const endless = '['.repeat(500_000);
    expect(await refusal('/v1/jobs', endless, json)).toMatchObject({ status: 400 });
    const bomb = gzipSync(JSON.stringify(big));
    expect(await refusal('/v1/jobs', bomb, { ...json, 'content-encoding': 'gzip' })).toMatchObject({
      status: 413,
    });
    for (const field of ['tenant', 'base_url', 'role', 'id', '__proto__']) {
      const text = `{"input_file_id":"file-${'0'.repeat(26)}",${JSON.stringify(field)}:"x"}`;
      for (const path of ['/v1/jobs', '/v1/batches']) {
        expect(await refusal(path, text, json), field).toMatchObject({ status: 400 });
      }
    }
    expect(await refusal(`/v1/jobs?base_url=http://evil.example`, ONE, JSONL)).toMatchObject({
      status: 400,
      code: 'unknown_parameter',
    });
  });

  it('may hold keys that a plain object would trip over', async () => {
    const { url, upload } = await service();
    const { json: file } = await upload(ONE);
    const body = `{"input_file_id":"${String(file['id'])}","endpoint":"/v1/chat/completions",
      "completion_window":"24h","metadata":{"constructor":"a","toString":"b"}}`;
    const headers = { 'content-type': 'application/json' };
    const batch = await call('POST', `${url}/v1/batches`, { body, headers });
    expect(batch.json['metadata']).toEqual({ constructor: 'a', toString: 'b' });
  });
});

describe('a request set', () => {
  it('with a line that is too long is refused with its number, over both doors', async () => {
    const { refusal, upload } = await service({ BATCHWRIGHT_MAX_LINE_BYTES: '1000' });
    const content = `${ONE}${ONE}${'x'.repeat(1_001)}\n${ONE}`;
    expect(await refusal('/v1/jobs', content, JSONL)).toMatchObject({
      status: 400,
      code: 'line_too_long',
      errors: [{ line: 3 }],
    });
    const { status, json } = await upload(content);
    expect(status).toBe(400);
    expect(json['error']).toMatchObject({ message: expect.stringContaining('Line 3') });
  });

  it('comes as it is or gzipped, and may not be a bomb', async () => {
    const { refusal } = await service();
    const encoded = (encoding: string) => ({ ...JSONL, 'content-encoding': encoding });
    expect(await refusal('/v1/jobs', ONE, encoded('deflate'))).toMatchObject({ status: 415 });
    expect(await refusal('/v1/jobs', ONE, encoded('gzip'))).toMatchObject({ status: 400 });
    const bomb = gzipSync(Buffer.alloc(30_000_000, ONE));
    const refused = { status: 413, code: 'too_dense' };
    expect(await refusal('/v1/jobs', bomb, encoded('gzip'))).toMatchObject(refused);
    expect(await refusal('/v1/jobs', ONE, { 'content-type': 'text/csv' })).toMatchObject({
      status: 415,
    });
  });

  it('whose sender falls silent is given up', async () => {
    const scene = await service({ BATCHWRIGHT_UPLOAD_IDLE_MS: '200' });
    const common = 'Host: localhost\r\nConnection: close\r\nContent-Length: 999\r\n';
    const head = `POST /v1/jobs HTTP/1.1\r\n${common}Content-Type: application/jsonl\r\n\r\n`;
    const cut = await rawRequest(portOf(scene), head, '{"a"');
    expect(cut.status).toBe(408);
    const type = 'Content-Type: multipart/form-data; boundary=b\r\n\r\n';
    const form = `POST /v1/files HTTP/1.1\r\n${common}${type}`;
    const part = '--b\r\nContent-Disposition: form-data; name="file"; filename="a.jsonl"\r\n\r\n{';
    expect((await rawRequest(portOf(scene), form, part)).status).toBe(408);
  });
});

describe('room', () => {
  it('that would be left too small on the disk is not taken', async () => {
    const { refusal, upload } = await service({ BATCHWRIGHT_MIN_FREE_BYTES: '9000000000000000' });
    expect(await refusal('/v1/jobs', ONE, JSONL)).toMatchObject({ status: 507, code: 'no_room' });
    expect((await upload(ONE)).status).toBe(507);
  });

  it('beyond the tenant’s quota is not taken', async () => {
    const { refusal, upload, url } = await service({
      BATCHWRIGHT_TENANT_QUOTA_BYTES: String(Buffer.byteLength(ONE) + 10),
    });
    expect((await call('POST', `${url}/v1/jobs`, { body: ONE, headers: JSONL })).status).toBe(202);
    const refused = { status: 413, code: 'quota_exceeded' };
    expect(await refusal('/v1/jobs', ONE + ONE, JSONL)).toMatchObject(refused);
    expect((await upload(ONE + ONE)).status).toBe(413);
  });

  it('beyond the quota is not taken either by uploads that come at once', async () => {
    const { upload } = await service({
      BATCHWRIGHT_TENANT_QUOTA_BYTES: String(3 * Buffer.byteLength(ONE) + 1_000),
    });
    const body = ONE + ' '.repeat(999);
    const answers = await Promise.all(Array.from({ length: 6 }, () => upload(body)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 413)).toHaveLength(5);
  });

  it('is needed by jobs of uploaded files too, but not by one that is there already', async () => {
    const { refusal, upload, url } = await service({
      BATCHWRIGHT_TENANT_QUOTA_BYTES: '5000',
    });
    const { json: file } = await upload(ONE + ' '.repeat(2_000));
    const wish = { input_file_id: file['id'] };
    const batch = { ...wish, endpoint: '/v1/chat/completions', completion_window: '24h' };
    const keyed = (path: string, body: object) =>
      call('POST', url + path, { body, headers: { 'idempotency-key': 'night-1' } });
    const made = await keyed('/v1/batches', batch);
    expect(made.status).toBe(200);
    const refused = { status: 413, code: 'quota_exceeded' };
    expect(await refusal('/v1/jobs', wish)).toMatchObject(refused);
    const error = await call('POST', `${url}/v1/batches`, { body: batch });
    expect([error.status, error.json['error']]).toMatchObject([413, { code: 'quota_exceeded' }]);
    expect((await keyed('/v1/batches', batch)).json['id']).toBe(made.json['id']);
  });

  it('on the disk is needed by everything that makes a job', async () => {
    const { config, store, house, url } = await openServiceScene({
      simulator: { flakiness: { permanentRate: 1 } },
    });
    const form = new FormData();
    form.set('purpose', 'batch');
    form.set('file', new Blob([ONE]), 'in.jsonl');
    const uploaded = await fetch(`${url}/v1/files`, { method: 'POST', body: form });
    const { id: file } = (await uploaded.json()) as { id: string };
    const first = await call('POST', `${url}/v1/jobs`, { body: { input_file_id: file } });
    const job = `/v1/jobs/${String(first.json['id'])}`;
    await eventually(async () => {
      expect((await call('GET', url + job)).json['status']).toBe('completed_with_errors');
    });
    const full = { ...config, BATCHWRIGHT_MIN_FREE_BYTES: Number.MAX_SAFE_INTEGER };
    const log = createLog({ level: 'silent', write: () => undefined, secrets: [] });
    const nearlyFull = await openService(full, store, house, log);
    const batch = { endpoint: '/v1/chat/completions', completion_window: '24h' };
    for (const [path, body] of [
      ['/v1/jobs', { input_file_id: file }],
      ['/v1/batches', { input_file_id: file, ...batch }],
      [`${job}/retry`, { all: true }],
    ] as const) {
      const { status, headers } = await call('POST', nearlyFull.url + path, { body });
      expect([path, status, headers.get('retry-after')]).toEqual([path, 507, '60']);
    }
    await nearlyFull.close(100);
    expect((await call('GET', `${url}/v1/jobs`)).json['data']).toHaveLength(1);
  });
});

describe('calls', () => {
  it('beyond the rate are refused with the time to wait', async () => {
    const { url } = await service({ BATCHWRIGHT_CALLS_PER_MINUTE: '5' });
    const answers = [];
    for (let turn = 0; turn < 6; turn += 1) answers.push(await call('GET', `${url}/v1/jobs`));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 429]);
    const last = answers.at(-1);
    expect(last?.json['code']).toBe('too_many_calls');
    expect(Number(last?.headers.get('retry-after'))).toBeGreaterThan(0);
  });

  it('without a key keep nobody from health, webhooks and the reference', async () => {
    const { url } = await service({ BATCHWRIGHT_CALLS_PER_MINUTE: '2' });
    const statusesOf = async (method: string, path: string) => {
      const statuses = [];
      for (let turn = 0; turn < 3; turn += 1) {
        const body = method === 'POST' ? { body: {} } : {};
        statuses.push((await call(method, url + path, body)).status);
      }
      return statuses;
    };
    expect(await statusesOf('GET', '/docs')).toEqual([200, 200, 429]);
    expect(await statusesOf('GET', '/healthz')).toEqual([200, 200, 200]);
    expect(await statusesOf('GET', '/readyz')).toEqual([200, 200, 200]);
    // No secret of the provider's webhooks is set here.
    expect(await statusesOf('POST', '/v1/webhooks/openai')).toEqual([404, 404, 429]);
  });

  it('of another host or from a foreign page are refused on every path', async () => {
    const { url } = await service();
    for (const path of ['/', '/healthz', '/v1/jobs', '/docs', '/admin/queues']) {
      const foreign = await call('GET', url + path, {
        headers: { origin: 'https://evil.example' },
      });
      expect(foreign.status).toBe(403);
      const raw = await rawRequest(
        Number(new URL(url).port),
        `GET ${path} HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n`,
      );
      expect(raw.status).toBe(421);
    }
  });

  it('whose ids are none are answered with 404, whatever they name', async () => {
    const { url } = await service();
    const ids = ['job_', '..%2f..%2fkeys', '%2e%2e', '__proto__', `job_${'O'.repeat(26)}`, '%zz'];
    for (const id of ids) {
      for (const path of [`/v1/jobs/${id}`, `/v1/files/${id}`, `/v1/batches/${id}`]) {
        expect((await call('GET', url + path)).status, path).toBe(404);
      }
    }
  });
});

describe('names and addresses', () => {
  it('of uploaded files are for people, and never a place on the disk', async () => {
    const { upload, config } = await service();
    const { status, json } = await upload(ONE, '../../../../tmp/escape.jsonl');
    expect(status).toBe(200);
    expect(json['filename']).not.toContain('/');
    const names = await readdir(config.dataDir, { recursive: true });
    expect(names.filter((name) => name.includes('escape'))).toEqual([]);
  });

  it('to be called back are checked before anything is kept', async () => {
    const { refusal, store } = await service();
    const urls = [
      'ftp://x.example/',
      'https://user:pw@x.example/',
      'nonsense',
      'http://x.example/',
    ];
    for (const url of urls) {
      const path = `/v1/jobs?callback_url=${encodeURIComponent(url)}`;
      expect(await refusal(path, ONE, JSONL), url).toMatchObject({ status: 400 });
    }
    expect(await store.jobs.list()).toEqual([]);
  });
});

it('ids that a plain object would trip over come back with their answers', async () => {
  const { url } = await openServiceScene();
  const ids = ['__proto__', 'constructor', 'toString', 'hasOwnProperty'];
  const body = asInput(ids.map((id) => requestLine(id)));
  const { json } = await call('POST', `${url}/v1/jobs`, { body, headers: JSONL });
  const path = `${url}/v1/jobs/${String(json['id'])}/result`;
  const result = await eventually(async () => {
    const answer = await fetch(path);
    const text = await answer.text();
    expect(answer.status, text).toBe(200);
    return { headers: answer.headers, text };
  });
  expect(result.headers.get('content-disposition')).toMatch(/^attachment/);
  const lines = result.text.trim().split('\n');
  expect(lines.map((line) => (JSON.parse(line) as { custom_id: string }).custom_id)).toEqual(ids);
});

it('refuses to be reached from other machines as long as there is no key', async () => {
  const place = await openPlace('http://127.0.0.1:9/v1');
  const ended = await place.command(['serve', '--host', '0.0.0.0', '--port', '0']);
  expect(ended.code).toBe(2);
  expect(ended.stderr).toContain(
    `batchwright keys create --tenant NAME --data-dir ${place.dataDir}`,
  );
  expect(await readdir(join(place.dataDir, 'store')).catch(() => [])).not.toContain('access');
});
