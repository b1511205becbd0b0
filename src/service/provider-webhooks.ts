/** What the provider calls out to us: verified, heard once, and then only a hint. */

import { createHash } from 'node:crypto';
import type { FirstTime } from '../ports/first-time.ts';
import type { WebhookHeaders, WebhookVerifier } from '../ports/webhook-verifier.ts';
import type { BatchHints } from './batch-hints.ts';

/** A signature is good for five minutes around its time: later repeats are refused anyway. */
const REMEMBERED_MS = 15 * 60_000;

const MAX_REMEMBERED = 10_000;

export class ProviderWebhooks {
  readonly #verifier: WebhookVerifier | null;
  readonly #firstTime: FirstTime;
  readonly #hints: Pick<BatchHints, 'hear'>;
  /** Of this process, so that repeats are known without Redis too; the oldest first. */
  readonly #heard = new Set<string>();

  /** `verifier` null: no secret is configured. */
  constructor(
    verifier: WebhookVerifier | null,
    firstTime: FirstTime,
    hints: Pick<BatchHints, 'hear'>,
  ) {
    this.#verifier = verifier;
    this.#firstTime = firstTime;
    this.#hints = hints;
  }

  /** Whether webhooks are taken at all. */
  get isConfigured(): boolean {
    return this.#verifier !== null;
  }

  /**
   * Takes a delivery: `refused` where it is not the provider's, `repeated` where it was heard
   * before. Resolves before anything is looked up.
   */
  async take(body: Buffer, headers: WebhookHeaders): Promise<'heard' | 'repeated' | 'refused'> {
    const event = (await this.#verifier?.verify(body, headers)) ?? null;
    if (event === null) return 'refused';
    if (!(await this.#isFirst(event.webhookId))) return 'repeated';
    if (event.batchId !== null) this.#hints.hear(event.batchId);
    return 'heard';
  }

  async #isFirst(webhookId: string): Promise<boolean> {
    const key = createHash('sha256').update(webhookId).digest('hex').slice(0, 32);
    if (this.#heard.has(key)) return false;
    this.#heard.add(key);
    for (const oldest of this.#heard) {
      if (this.#heard.size <= MAX_REMEMBERED) break;
      this.#heard.delete(oldest);
    }
    // Without Redis a repeat is heard once more by each process: it costs one look.
    return this.#firstTime.isFirst(key, REMEMBERED_MS).catch(() => true);
  }
}
