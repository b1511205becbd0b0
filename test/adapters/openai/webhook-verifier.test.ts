import { createHmac, randomBytes } from 'node:crypto';

import { expect, test } from 'vitest';

import { createWebhookVerifier } from '../../../src/adapters/openai/webhook-verifier.ts';

const SECRET = `whsec_${randomBytes(32).toString('base64')}`;
const BODY = '{"object":"event","id":"evt_1","type":"batch.completed","data":{"id":"batch_1"}}';

interface Changes {
  readonly secret?: string;
  readonly signed?: string;
  readonly ageSeconds?: number;
}

/** The headers of a delivery that is signed as the provider signs. */
function signedHeaders(body: string, { secret = SECRET, signed, ageSeconds = 0 }: Changes = {}) {
  const timestamp = String(Math.floor(Date.now() / 1_000) - ageSeconds);
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
  const text = `wh_1.${timestamp}.${signed ?? body}`;
  const signature = createHmac('sha256', key).update(text).digest('base64');
  return {
    'webhook-id': 'wh_1',
    'webhook-timestamp': timestamp,
    'webhook-signature': `v1,${signature}`,
  };
}

const verifier = createWebhookVerifier(SECRET);

function verified(body: string, changes?: Changes, more: Record<string, string | string[]> = {}) {
  return verifier.verify(Buffer.from(body), { ...signedHeaders(body, changes), ...more });
}

test('what the provider signed is its event, with the batch that it is about', async () => {
  expect(await verified(BODY)).toEqual({ webhookId: 'wh_1', batchId: 'batch_1' });
});

test.each([
  ['another kind of event', '{"type":"response.completed","data":{"id":"resp_1"}}'],
  ['a batch without an id', '{"type":"batch.failed","data":{}}'],
  ['an id that is none', '{"type":"batch.failed","data":{"id":7}}'],
  ['no data', '{"type":"batch.failed"}'],
  ['null', 'null'],
  ['a list', '[]'],
])('%s is about no batch', async (_, body) => {
  expect(await verified(body)).toEqual({ webhookId: 'wh_1', batchId: null });
});

test.each<[string, string, Changes, Record<string, string | string[]>]>([
  ['another secret', BODY, { secret: `whsec_${randomBytes(32).toString('base64')}` }, {}],
  ['another body', BODY, { signed: `${BODY} ` }, {}],
  ['an old time', BODY, { ageSeconds: 400 }, {}],
  ['a time to come', BODY, { ageSeconds: -400 }, {}],
  ['another id', BODY, {}, { 'webhook-id': 'wh_2' }],
  ['a time that is none', BODY, {}, { 'webhook-timestamp': 'now' }],
  ['an empty signature', BODY, {}, { 'webhook-signature': '' }],
  ['a header twice', BODY, {}, { 'webhook-id': ['wh_1', 'wh_1'] }],
  ['a body that is no JSON', '{', {}, {}],
])('%s is refused', async (_, body, changes, more) => {
  expect(await verified(body, changes, more)).toBeNull();
});

test('a delivery without headers is refused', async () => {
  expect(await verifier.verify(Buffer.from(BODY), {})).toBeNull();
});
