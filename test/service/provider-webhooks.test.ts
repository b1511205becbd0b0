import { expect, test } from 'vitest';

import type { FirstTime } from '../../src/ports/first-time.ts';
import type { WebhookVerifier } from '../../src/ports/webhook-verifier.ts';
import { ProviderWebhooks } from '../../src/service/provider-webhooks.ts';

/** Takes a body for an event of that id, unless it is `forged`. */
const verifier: WebhookVerifier = {
  verify: async (body, { 'webhook-id': id }) =>
    String(body) === 'forged' ? null : { webhookId: String(id), batchId: String(body) || null },
};

function sharedMemory(): FirstTime {
  const seen = new Set<string>();
  return { isFirst: async (key) => !seen.has(key) && seen.add(key).size > 0 };
}

function processWith(firstTime: FirstTime) {
  const hints: string[] = [];
  const webhooks = new ProviderWebhooks(verifier, firstTime, { hear: (id) => hints.push(id) });
  const take = (id: string, body: string) => webhooks.take(Buffer.from(body), { 'webhook-id': id });
  return { hints, take };
}

test('an event is a hint once, however often it is delivered, to whichever process', async () => {
  const memory = sharedMemory();
  const [one, other] = [processWith(memory), processWith(memory)];
  expect(await one.take('wh_1', 'batch_1')).toBe('heard');
  expect(await one.take('wh_1', 'batch_1')).toBe('repeated');
  expect(await other.take('wh_1', 'batch_1')).toBe('repeated');
  expect(await other.take('wh_2', 'batch_1')).toBe('heard');
  expect([one.hints, other.hints]).toEqual([['batch_1'], ['batch_1']]);
});

test('without Redis each process still knows what it heard itself', async () => {
  const { take, hints } = processWith({ isFirst: () => Promise.reject(new Error('away')) });
  expect(await take('wh_1', 'batch_1')).toBe('heard');
  expect(await take('wh_1', 'batch_1')).toBe('repeated');
  expect(hints).toEqual(['batch_1']);
});

test('what is forged is refused, and its id stays free for the provider', async () => {
  const { take, hints } = processWith(sharedMemory());
  expect(await take('wh_1', 'forged')).toBe('refused');
  expect(await take('wh_1', 'batch_1')).toBe('heard');
  expect(hints).toEqual(['batch_1']);
});

test('an event about something else is heard and no hint', async () => {
  const { take, hints } = processWith(sharedMemory());
  expect(await take('wh_1', '')).toBe('heard');
  expect(hints).toEqual([]);
});

test('what is remembered is bounded', async () => {
  const everything: FirstTime = { isFirst: async () => true };
  const { take } = processWith(everything);
  for (let number = 0; number <= 10_000; number += 1) await take(`wh_${number}`, '');
  // The oldest one went, the newest is known.
  expect(await take('wh_0', '')).toBe('heard');
  expect(await take('wh_10000', '')).toBe('repeated');
});

test('without a secret nothing is taken', async () => {
  const webhooks = new ProviderWebhooks(null, sharedMemory(), { hear: () => undefined });
  expect(webhooks.isConfigured).toBe(false);
  expect(await webhooks.take(Buffer.from('batch_1'), {})).toBe('refused');
});
