import { randomBytes } from 'node:crypto';

import { Webhook } from 'standardwebhooks';
import { expect, test } from 'vitest';

import { CALLBACKS_FOLDER } from '../../../src/stages/names.ts';
import { eventually } from '../../support/program.ts';
import { startReceiver } from '../../support/receiver.ts';
import { call, openServiceScene } from '../../support/service.ts';
import { asInput, requestLine } from '../../support/sets.ts';
import { bearer, JSONL, openTenantScene } from '../support/tenants.ts';

const SECRETS = [1, 2].map(() => `whsec_${randomBytes(24).toString('base64')}`);
const SIGNING = { BATCHWRIGHT_WEBHOOK_SECRET: SECRETS.join(' ') };

function submit(url: string, body: string | Uint8Array, query: Record<string, string>) {
  const headers = { 'content-type': 'application/jsonl' };
  return call('POST', `${url}/v1/jobs?${new URLSearchParams(query).toString()}`, { body, headers });
}

test('submitters are told how their jobs ended', async () => {
  const { url: callback_url, heard } = await startReceiver();
  const { url, store } = await openServiceScene({ env: SIGNING });
  const done = await submit(url, asInput([requestLine('a'), requestLine('b')]), {
    callback_url,
    name: 'tickets',
    'metadata[team]': 'a',
  });
  const refused = await submit(url, '{"custom_id":"SECRET"}\n', { callback_url });
  const silent = await submit(url, asInput([requestLine('c')]), {});
  expect([done.status, refused.status, silent.status]).toEqual([202, 202, 202]);
  await eventually(() => expect(heard).toHaveLength(2));

  const told = heard.map(({ body, headers }) => {
    for (const secret of SECRETS) new Webhook(secret).verify(body, headers);
    expect(body).not.toContain('SECRET');
    return JSON.parse(body) as { type: string; data: { job: string } };
  });
  expect(told.find(({ data }) => data.job === done.json['id'])).toMatchObject({
    type: 'job.completed',
    data: {
      name: 'tickets',
      status: 'completed',
      counts: { total: 2, succeeded: 2, failed: 0, rejected: 0 },
      metadata: { team: 'a' },
    },
  });
  expect(told.find(({ data }) => data.job === refused.json['id'])).toMatchObject({
    type: 'job.failed',
    data: { status: 'failed', counts: null, error: { code: 'invalid_lines' } },
  });
  await eventually(async () => expect(await store.blobs.list(CALLBACKS_FOLDER)).toEqual([]));
});

test('a cancelled job is told of as one, and a receiver that is down changes nothing', async () => {
  const down = await startReceiver(() => 503);
  const { url } = await openServiceScene({
    env: SIGNING,
    simulator: { timeFactor: 600 },
  });
  const query = { callback_url: down.url };
  const { json } = await submit(url, asInput([requestLine('a')]), query);
  const job = `${url}/v1/jobs/${String(json['id'])}`;
  await eventually(async () => {
    expect((await call('GET', job)).json).toMatchObject({ status: 'running' });
  });
  expect((await call('POST', `${job}/cancel`)).status).toBe(200);
  await eventually(() => expect(down.heard.length).toBeGreaterThan(0));
  expect(JSON.parse(down.heard[0]?.body ?? '')).toMatchObject({ type: 'job.cancelled' });
  expect((await call('GET', job)).json).toMatchObject({ status: 'cancelled' });
});

test('a callback URL that will not be called is refused with the job', async () => {
  const { url } = await openServiceScene({ env: SIGNING, workers: false });
  const body = asInput([requestLine('a')]);
  for (const callback_url of [
    'hook',
    'http://10.0.0.1/hook',
    'https://169.254.169.254/',
    'https://[::ffff:127.0.0.1]/',
    'https://name:password@receiver.example/',
  ]) {
    const answer = await submit(url, body, { callback_url });
    expect(answer).toMatchObject({
      status: 400,
      json: { code: 'invalid_callback_url', param: 'callback_url' },
    });
  }
  const long = await submit(url, body, { callback_url: `https://a.example/${'a'.repeat(2_048)}` });
  expect(long.status).toBe(400);
  expect((await call('GET', `${url}/v1/jobs`)).json['data']).toEqual([]);
});

test('what a tenant with a key submits is never told to this machine', async () => {
  const { url: callback_url, heard } = await startReceiver();
  const { url, acme } = await openTenantScene(SIGNING);
  const query = new URLSearchParams({ callback_url }).toString();
  const answer = await call('POST', `${url}/v1/jobs?${query}`, {
    body: asInput([requestLine('a')]),
    headers: { ...bearer(acme), ...JSONL },
  });
  expect(answer).toMatchObject({ status: 400, json: { code: 'invalid_callback_url' } });
  expect(heard).toEqual([]);
});

test('without a secret to sign with no callback is taken', async () => {
  const { url } = await openServiceScene({ workers: false });
  const answer = await submit(url, asInput([requestLine('a')]), {
    callback_url: 'https://receiver.example/',
  });
  expect(answer).toMatchObject({ status: 400, json: { code: 'not_configured' } });
});
