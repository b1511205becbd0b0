/** Tells the configured address that a batch has ended, signed as the service signs. */

import { createHmac } from 'node:crypto';

import { subjectOf, type BatchRecord } from './batches/record.ts';
import { hexOf } from './random.ts';
import type { World } from './world.ts';

const TRIES = 3;
const TRY_TIMEOUT_MS = 10_000;

/** Within the clock's `run`. Resolves when it was heard or given up. */
export async function announce(world: World, batch: BatchRecord): Promise<void> {
  const { webhook, seed } = world.settings;
  const subject = subjectOf(batch);
  if (webhook === null || world.faults.strikes('webhook_lost', subject) !== null) return;
  const id = `wh_${hexOf(32, seed, 'webhook', batch.id)}`;
  const body = JSON.stringify({
    object: 'event',
    id: `evt_${hexOf(32, seed, 'event', batch.id)}`,
    type: `batch.${batch.status}`,
    created_at: world.clock.nowSeconds(),
    data: { id: batch.id },
  });
  const isForged = world.faults.strikes('webhook_bad_signature', subject) !== null;
  const secret = isForged ? 'whsec_AAAA' : webhook.secret;
  const times = world.faults.strikes('webhook_duplicate', subject) === null ? 1 : 2;
  for (let time = 0; time < times; time++) {
    for (let tried = 0; tried < TRIES; tried++) {
      const status = await post(webhook.url, id, body, secret);
      world.events.emit({ type: 'webhook_sent', batchId: batch.id, status });
      if (status !== null && status < 300) break;
      await world.clock.sleepUntil(world.clock.nowMs() + 60_000 * 2 ** tried, `${batch.id} hook`);
    }
  }
}

/** The status of the answer, null where none came. */
async function post(url: string, id: string, body: string, secret: string): Promise<number | null> {
  // Receivers compare it with their own clock, so it is real time.
  const timestamp = String(Math.floor(Date.now() / 1000));
  const headers = {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': `v1,${sign(secret, `${id}.${timestamp}.${body}`)}`,
  };
  try {
    const signal = AbortSignal.timeout(TRY_TIMEOUT_MS);
    const response = await fetch(url, { method: 'POST', headers, body, signal });
    await response.body?.cancel();
    return response.status;
  } catch {
    return null;
  }
}

function sign(secret: string, text: string): string {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  return createHmac('sha256', key).update(text).digest('base64');
}
