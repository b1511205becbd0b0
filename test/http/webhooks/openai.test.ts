import { createHmac, randomBytes } from 'node:crypto';

import { expect, test } from 'vitest';

import { problem } from '../../../src/http/contract/problem.ts';
import { freePort } from '../../outages/own-redis.ts';
import { eventually } from '../../support/program.ts';
import { call, openServiceScene } from '../../support/service.ts';
import { asInput, requestLine } from '../../support/sets.ts';

const SECRET = `whsec_${randomBytes(32).toString('base64')}`;
const BODY = '{"object":"event","type":"batch.completed","data":{"id":"batch_unknown"}}';

function signed(body: string | Uint8Array, id: string, secret = SECRET) {
  const timestamp = String(Math.floor(Date.now() / 1_000));
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
  const digest = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body);
  return {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': `v1,${digest.digest('base64')}`,
  };
}

function post(url: string, body: string | Uint8Array, headers: Record<string, string>) {
  return call('POST', `${url}/v1/webhooks/openai`, { body, headers });
}

test('webhooks of the provider are heard, all else gets one and the same answer', async () => {
  const { url } = await openServiceScene({
    env: { OPENAI_WEBHOOK_SECRET: SECRET },
    workers: false,
  });
  const first = await post(url, BODY, signed(BODY, 'wh_1'));
  expect([first.status, first.text]).toEqual([204, '']);
  expect((await post(url, BODY, signed(BODY, 'wh_1'))).status).toBe(204);

  const other = `whsec_${randomBytes(32).toString('base64')}`;
  const { 'webhook-signature': _, ...unsigned } = signed(BODY, 'wh_2');
  const refused = [
    await post(url, `${BODY} `, signed(BODY, 'wh_2')),
    await post(url, BODY, signed(BODY, 'wh_2', other)),
    await post(url, BODY, { ...signed(BODY, 'wh_2'), 'webhook-timestamp': '1' }),
    await post(url, BODY, { ...signed(BODY, 'wh_2'), 'webhook-id': 'wh_3' }),
    await post(url, BODY, unsigned),
    await post(url, '', signed('', 'wh_2')),
    await post(url, '{', signed('{', 'wh_2')),
    await post(url, Buffer.from([0xff, 0xfe]), signed(Buffer.from([0xff, 0xfe]), 'wh_2')),
  ];
  const answers = refused.map(({ status, json }) => {
    const { request_id: requestId, ...rest } = problem.parse(json);
    expect(requestId).toEqual(expect.any(String));
    return JSON.stringify([status, rest]);
  });
  expect(new Set(answers).size).toBe(1);
  expect(refused[0]).toMatchObject({ status: 400, json: { code: 'invalid_signature' } });

  const large = 'x'.repeat(1_000_001);
  const tooLarge = await post(url, large, signed(large, 'wh_4'));
  expect([tooLarge.status, tooLarge.json['code']]).toEqual([413, 'body_too_large']);
  const packed = await post(url, BODY, { ...signed(BODY, 'wh_4'), 'content-encoding': 'gzip' });
  expect(packed.status).toBe(415);
  const text = await post(url, BODY, { ...signed(BODY, 'wh_4'), 'content-type': 'text/plain' });
  expect(text.status).toBe(415);
});

test('without a secret the door is closed', async () => {
  const { url } = await openServiceScene({ workers: false });
  const answer = await post(url, BODY, signed(BODY, 'wh_1'));
  expect([answer.status, answer.json['code']]).toEqual([404, 'not_configured']);
});

test('a hint makes the poll come at once, where polls are an hour apart', async () => {
  const port = await freePort();
  const scene = await openServiceScene({
    simulator: { webhook: { url: `http://127.0.0.1:${port}/v1/webhooks/openai`, secret: SECRET } },
    env: {
      OPENAI_WEBHOOK_SECRET: SECRET,
      BATCHWRIGHT_PORT: String(port),
      BATCHWRIGHT_POLL_INTERVAL_MS: '3600000',
      // Enough of them alive that they are looked at by a shared listing.
      BATCHWRIGHT_MAX_LIVE_BATCHES: '12',
    },
  });
  const lines = Array.from({ length: 12 }, (_, number) => requestLine(`r-${number}`));
  const made = await call('POST', `${scene.url}/v1/jobs?max_requests=1`, {
    body: asInput(lines),
    headers: { 'content-type': 'application/jsonl' },
  });
  expect(made.status).toBe(202);
  await eventually(async () => {
    const { json } = await call('GET', `${scene.url}/v1/jobs/${String(made.json['id'])}`);
    expect(json['status']).toBe('completed');
  });
});
