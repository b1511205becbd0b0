import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import { expect, test } from 'vitest';

import { job as jobShape, jobList, planned } from '../../../src/http/contract/job-shapes.ts';
import { problem } from '../../../src/http/contract/problem.ts';
import { eventually } from '../../support/program.ts';
import { call, type Called, openServiceScene } from '../../support/service.ts';
import { asInput, mixedLines, requestLine } from '../../support/sets.ts';

const JSONL = { 'content-type': 'application/jsonl' };

function submit(url: string, body: string | Uint8Array, more: Record<string, string> = {}) {
  return call('POST', url, { body, headers: { ...JSONL, ...more } });
}

async function finished(url: string, id: unknown): Promise<Called> {
  return eventually(async () => {
    const found = await call('GET', `${url}/v1/jobs/${String(id)}`);
    expect(found.json['finished_at']).not.toBeNull();
    return found;
  });
}

test('a request set that is sent as a body becomes a job that completes', async () => {
  const { url, store } = await openServiceScene();
  const query = 'name=tickets&max_attempts=2&metadata%5Bteam%5D=a&max_requests=4';
  const answer = await submit(`${url}/v1/jobs?${query}`, asInput(mixedLines(10)));
  expect(answer.status).toBe(202);
  const made = jobShape.parse(answer.json);
  expect(answer.headers.get('location')).toBe(`/v1/jobs/${made.id}`);
  expect(made).toMatchObject({ status: 'planning', name: 'tickets', metadata: { team: 'a' } });

  const { json } = await finished(url, made.id);
  const done = jobShape.parse(json);
  expect(done).toMatchObject({
    status: 'completed',
    counts: { total: 10, succeeded: 10, failed: 0, rejected: 0, pending: 0 },
    chunks: { by_phase: { settled: 3 } },
    endpoint: '/v1/chat/completions',
    models: ['gpt-4o', 'gpt-4o-mini'],
  });
  expect(done.result?.lines).toBe(10);
  expect(done.usage?.total_tokens).toBeGreaterThan(0);
  // What came with the call lies in the chunks, and nowhere else.
  const folder = await store.blobs.list(`local/jobs/${made.id}`);
  expect(folder).not.toContain('source.jsonl');

  const chunks = await call('GET', `${url}/v1/jobs/${made.id}/chunks?limit=2`);
  expect(chunks.json).toMatchObject({ has_more: true, next: 'c000001' });
  const rest = await call('GET', `${url}/v1/jobs/${made.id}/chunks?after=c000001`);
  expect(rest.json).toMatchObject({ has_more: false, next: null });
  expect(rest.json['data']).toHaveLength(1);
});

test('a gzipped body is the same request set', async () => {
  const { url } = await openServiceScene();
  const body = gzipSync(asInput([requestLine('a'), requestLine('b')]));
  const answer = await submit(`${url}/v1/jobs`, body, { 'content-encoding': 'gzip' });
  expect(answer.status).toBe(202);
  const done = await finished(url, answer.json['id']);
  expect(done.json).toMatchObject({ status: 'completed', counts: { total: 2 } });
});

test('gzipped bytes that nobody announced are refused with the way out', async () => {
  const { url } = await openServiceScene({ workers: false });
  const answer = await submit(`${url}/v1/jobs`, gzipSync(asInput([requestLine('a')])));
  expect([answer.status, answer.json['code']]).toEqual([400, 'gzipped_body']);
  expect((await call('GET', `${url}/v1/jobs`)).json['data']).toEqual([]);
});

test('bad lines refuse the job with their numbers, and a dry run says so before', async () => {
  const { url, simulator } = await openServiceScene();
  const set = asInput([requestLine('a'), '{"custom_id": 3}', requestLine('b')]);
  const dry = await submit(`${url}/v1/jobs?dry_run=1`, set);
  expect(dry.status).toBe(200);
  expect(planned.parse(dry.json)).toMatchObject({
    would_be_sent: false,
    errors: [{ line: 2, code: 'invalid_custom_id' }],
    errors_total: 1,
  });
  const { json } = await submit(`${url}/v1/jobs`, set);
  const done = await finished(url, json['id']);
  expect(done.json).toMatchObject({
    status: 'failed',
    refusal: { code: 'invalid_lines', errors: [{ line: 2 }], errors_total: 1 },
  });
  const skipped = await submit(`${url}/v1/jobs?dry_run=true&on_invalid=skip`, set);
  expect(skipped.json).toMatchObject({
    would_be_sent: true,
    counts: { requests: 2, rejected: 1 },
    errors: [{ line: 2, code: 'invalid_custom_id' }],
    errors_total: 1,
  });
  const retry = await call('POST', `${url}/v1/jobs/${String(json['id'])}/retry`);
  expect([retry.status, retry.json['code']]).toEqual([409, 'no_result']);
  expect((await call('GET', `${url}/v1/jobs`)).json['data']).toHaveLength(1);
  expect((await call('GET', `${simulator.url}/files`)).json['data']).toEqual([]);
});

test('the same idempotency key is the same job, and never another one', async () => {
  const { url, config } = await openServiceScene({ workers: false });
  const set = asInput([requestLine('a')]);
  const keyed = { 'idempotency-key': 'night-1' };
  const first = await submit(`${url}/v1/jobs?name=n`, set, keyed);
  const again = await submit(`${url}/v1/jobs?name=n`, set, keyed);
  expect([first.status, again.status]).toEqual([202, 202]);
  expect(again.json['id']).toBe(first.json['id']);
  for (const [query, body] of [
    ['name=n', asInput([requestLine('b')])],
    ['name=n', asInput([requestLine('a'), requestLine('b')])],
    ['name=n&max_attempts=7', set],
    ['name=n&max_requests=10', set],
    ['name=n&max_bytes=1000', set],
    ['name=n&metadata%5Ba%5D=b', set],
    ['name=other', set],
  ] as const) {
    const other = await submit(`${url}/v1/jobs?${query}`, body, keyed);
    expect(other.status).toBe(409);
    expect(problem.parse(other.json)).toMatchObject({ code: 'idempotency_conflict' });
  }
  const unlike = await submit(`${url}/v1/jobs?max_requests=10`, set, {
    'idempotency-key': 'night-2',
  });
  expect(unlike.json['id']).not.toBe(first.json['id']);
  // A wish that is left out is another call too.
  for (const query of ['', '?max_requests=11', '?max_requests=10&max_bytes=9000']) {
    const other = await submit(`${url}/v1/jobs${query}`, set, { 'idempotency-key': 'night-2' });
    expect([query, other.status]).toEqual([query, 409]);
  }
  expect((await call('GET', `${url}/v1/jobs`)).json['data']).toHaveLength(2);
  // Request sets of calls that made no job are gone.
  const jobs = await readdir(join(config.dataDir, 'store/local/jobs'));
  expect(jobs).toHaveLength(2);
  expect(await readdir(join(config.dataDir, 'scratch'))).toEqual([]);
});

test('many calls with one key at once make one job', async () => {
  const { url, config } = await openServiceScene({ workers: false });
  const calls = Array.from({ length: 8 }, () =>
    submit(`${url}/v1/jobs`, asInput([requestLine('a')]), { 'idempotency-key': 'k' }),
  );
  const answers = await Promise.all(calls);
  expect(answers.map(({ status, text }) => (status === 202 ? '' : text))).toEqual(
    answers.map(() => ''),
  );
  const ids = new Set(answers.map(({ json }) => json['id']));
  expect(ids.size).toBe(1);
  expect(await readdir(join(config.dataDir, 'store/local/jobs'))).toEqual([...ids]);
});

test('what the contract does not name is refused', async () => {
  const { url } = await openServiceScene({ workers: false });
  const set = asInput([requestLine('a')]);
  const fields = [
    ['base_url=http://127.0.0.1', 'unknown_parameter', 'base_url'],
    ['tenant=acme', 'unknown_parameter', 'tenant'],
    ['max_attempts=0', 'invalid_value', 'max_attempts'],
    ['max_attempts=x', 'invalid_value', 'max_attempts'],
    ['on_invalid=maybe', 'invalid_value', 'on_invalid'],
    ['endpoint=/v1/images', 'invalid_value', 'endpoint'],
    [`metadata%5B${'k'.repeat(65)}%5D=v`, 'invalid_value', `metadata.${'k'.repeat(65)}`],
    ['name=a&name=b', 'repeated_parameter', undefined],
  ] as const;
  for (const [query, code, param] of fields) {
    const answer = await submit(`${url}/v1/jobs?${query}`, set);
    expect([query, answer.status]).toEqual([query, 400]);
    const body = problem.parse(answer.json);
    expect([query, body.code, body.param]).toEqual([query, code, param]);
  }
  const plain = await call('POST', `${url}/v1/jobs`, {
    body: set,
    headers: { 'content-type': 'text/plain' },
  });
  expect([plain.status, plain.json['code']]).toEqual([415, 'unsupported_media_type']);
  expect((await call('GET', `${url}/v1/jobs`)).json['data']).toEqual([]);
});

test('jobs are listed newest first, in pages, by their status', async () => {
  const { url } = await openServiceScene({ workers: false });
  const ids: unknown[] = [];
  for (const name of ['one', 'two', 'three']) {
    const { json } = await submit(`${url}/v1/jobs?name=${name}`, asInput([requestLine(name)]));
    ids.unshift(json['id']);
  }
  const page = jobList.parse((await call('GET', `${url}/v1/jobs?limit=2`)).json);
  expect(page.data.map(({ id }) => id)).toEqual(ids.slice(0, 2));
  expect(page.has_more).toBe(true);
  const rest = await call('GET', `${url}/v1/jobs?limit=2&after=${String(page.next)}`);
  expect(jobList.parse(rest.json).data.map(({ id }) => id)).toEqual(ids.slice(2));
  await call('POST', `${url}/v1/jobs/${String(ids[1])}/cancel`);
  const cancelling = await call('GET', `${url}/v1/jobs?status=cancelling,cancelled`);
  expect(jobList.parse(cancelling.json).data.map(({ id }) => id)).toEqual([ids[1]]);
  const bad = await call('GET', `${url}/v1/jobs?status=nearly`);
  expect([bad.status, bad.json['param']]).toEqual([400, 'status']);
});

test('a job is paused, resumed, cancelled and deleted', async () => {
  const { url, config, simulator } = await openServiceScene({
    env: { BATCHWRIGHT_MAX_LIVE_BATCHES: '1' },
  });
  const set = asInput(mixedLines(6));
  const { json } = await submit(`${url}/v1/jobs?max_requests=1`, set);
  const path = `${url}/v1/jobs/${String(json['id'])}`;
  for (const wish of ['pause', 'resume', 'cancel']) {
    const { status, json: refusal } = await call('POST', `${path}/${wish}`, {
      body: { after_seconds: 60 },
    });
    expect([status, refusal['code'], refusal['param']]).toEqual([
      400,
      'unknown_parameter',
      'after_seconds',
    ]);
  }
  const paused = await call('POST', `${path}/pause`, { body: {} });
  expect(paused.status).toBe(200);
  await eventually(async () => {
    const { json: job } = await call('GET', path);
    expect(job).toMatchObject({ status: 'paused', paused: { code: 'paused' } });
  });
  expect((await call('DELETE', path)).json['code']).toBe('not_finished');
  await call('POST', `${path}/resume`);
  const done = await finished(url, json['id']);
  expect(done.json).toMatchObject({ status: 'completed', paused: null, alerts: [] });
  expect((await call('POST', `${path}/cancel`)).json['code']).toBe('already_over');
  await eventually(async () => expect((await call('DELETE', path)).status).toBe(200));
  expect((await call('GET', path)).status).toBe(404);
  // Nothing of it is left, here or at the provider.
  expect(await readdir(join(config.dataDir, 'store/local/jobs'))).toEqual([]);
  expect(await readdir(join(config.dataDir, 'store/tenants/local/jobs'))).toEqual([]);
  const files = await call('GET', `${simulator.url}/files`);
  expect(files.json['data']).toEqual([]);
});

test('a job that was accepted is on the disk when the answer comes', async () => {
  const { url, config } = await openServiceScene({ workers: false });
  const set = asInput([requestLine('a')]);
  const { json } = await submit(`${url}/v1/jobs`, set);
  const folder = join(config.dataDir, 'store/local/jobs', String(json['id']));
  expect(await readFile(join(folder, 'source.jsonl'), 'utf8')).toBe(set);
  expect(await readdir(join(folder, 'journal/job'))).toEqual(['00000001.json']);
  expect(await readdir(join(config.dataDir, 'store/local/open'))).toEqual([json['id']]);
});
