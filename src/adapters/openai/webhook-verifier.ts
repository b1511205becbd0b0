/** The provider's webhooks, verified by the SDK. */

import { OpenAI } from 'openai';
import type {
  ProviderEvent,
  WebhookHeaders,
  WebhookVerifier,
} from '../../ports/webhook-verifier.ts';

/** `secret` is the one that the provider shows when the webhook is made there (`whsec_…`). */
export function createWebhookVerifier(secret: string): WebhookVerifier {
  // Nothing is called with it.
  const { webhooks } = new OpenAI({ apiKey: 'none', webhookSecret: secret });
  return {
    async verify(body: Buffer, headers: WebhookHeaders): Promise<ProviderEvent | null> {
      const plain = plainHeaders(headers);
      try {
        const event: unknown = await webhooks.unwrap(body.toString(), plain, secret);
        return { webhookId: plain.get('webhook-id') ?? '', batchId: batchIdOf(event) };
      } catch {
        return null;
      }
    },
  };
}

function plainHeaders(headers: WebhookHeaders): Headers {
  const plain = new Headers();
  for (const name of ['webhook-id', 'webhook-timestamp', 'webhook-signature']) {
    const value = headers[name];
    if (typeof value === 'string') plain.set(name, value);
  }
  return plain;
}

function batchIdOf(event: unknown): string | null {
  if (typeof event !== 'object' || event === null) return null;
  const { type, data } = event as { type?: unknown; data?: { id?: unknown } | null };
  if (typeof type !== 'string' || !type.startsWith('batch.')) return null;
  return typeof data?.id === 'string' && data.id !== '' ? data.id : null;
}
