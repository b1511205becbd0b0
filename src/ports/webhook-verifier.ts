/** Tells the provider's own webhooks from anybody else's. */
export interface WebhookVerifier {
  /** The event; null where the signature, its time or the body is not the provider's. */
  verify(body: Buffer, headers: WebhookHeaders): Promise<ProviderEvent | null>;
}

export type WebhookHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

export interface ProviderEvent {
  /** The same for every delivery of one event. */
  readonly webhookId: string;
  /** The batch that it is about; null: it is about something else. */
  readonly batchId: string | null;
}
