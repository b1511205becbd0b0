/** Webhooks as the configuration has them: ours to submitters, and the provider's to us. */

import type { Config } from '../../config/load.ts';
import { isLoopback } from '../../config/providers.ts';
import { createWebhookVerifier } from '../adapters/openai/webhook-verifier.ts';
import { createCallbackSender } from '../adapters/webhook/sender.ts';
import type { CallbackSender } from '../ports/callback-sender.ts';
import type { FirstTime } from '../ports/first-time.ts';
import type { WorkQueue } from '../ports/work-queue.ts';
import type { Alerts } from '../service/alerts.ts';
import { BatchHints } from '../service/batch-hints.ts';
import { CallbackDelivery } from '../service/callback-delivery.ts';
import { Callbacks } from '../service/callbacks.ts';
import type { JobViews } from '../service/job-views.ts';
import { ProviderWebhooks } from '../service/provider-webhooks.ts';
import type { RunningWorkers } from '../service/workers.ts';
import type { Tools } from '../stages/tools.ts';
import { PROGRAM_VERSION } from '../version.ts';

export interface WebhookParts {
  readonly tools: Tools;
  readonly queue: WorkQueue;
  readonly views: JobViews;
  readonly alerts: Alerts;
  readonly firstTime: FirstTime;
}

export interface Webhooks {
  readonly callbacks: Callbacks;
  readonly delivery: CallbackDelivery;
  readonly sender: CallbackSender;
  readonly fromProvider: ProviderWebhooks;
}

/** The webhooks of one process; nothing runs yet. */
export function openWebhooks(config: Config, parts: WebhookParts): Webhooks {
  const { tools, queue, views, alerts, firstTime } = parts;
  const { blobs, clock, notices, provider, installation } = tools;
  const callbacks = new Callbacks(blobs, clock);
  const sender = createSender(config);
  const delivery = new CallbackDelivery({ callbacks, views, sender, alerts, notices, clock });
  const secret = config.OPENAI_WEBHOOK_SECRET;
  const fromProvider = new ProviderWebhooks(
    secret === undefined ? null : createWebhookVerifier(secret),
    firstTime,
    new BatchHints({ provider, blobs, views, queue, installation }),
  );
  return { callbacks, delivery, sender, fromProvider };
}

/** Workers that make callbacks too, from now until they are stopped. */
export function withCallbacks(workers: RunningWorkers, delivery: CallbackDelivery): RunningWorkers {
  const telling = delivery.start();
  return {
    ...workers,
    stop: async (graceMs) => {
      await Promise.all([workers.stop(graceMs), telling.stop(graceMs ?? CALLBACK_GRACE_MS)]);
    },
  };
}

/** A try takes ten seconds at the most. */
const CALLBACK_GRACE_MS = 12_000;

function createSender(config: Config): CallbackSender {
  const { BATCHWRIGHT_WEBHOOK_SECRET: secrets = '', BATCHWRIGHT_HOST: host } = config;
  const origin = `http://${host.includes(':') ? `[${host}]` : host}`;
  return createCallbackSender({
    secrets: secrets.split(/\s+/).filter((secret) => secret !== ''),
    allowLoopback: URL.canParse(origin) && isLoopback(origin),
    userAgent: `batchwright/${PROGRAM_VERSION}`,
  });
}
