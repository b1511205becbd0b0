/** Makes callbacks: signed POSTs to addresses that strangers chose. */
export interface CallbackSender {
  /** Whether there is a secret to sign with; without one every send fails. */
  readonly canSign: boolean;

  /**
   * What is wrong with the URL, in words for who chose it; null: nothing that can be known before
   * its name is looked up.
   */
  problemOf(url: string): string | null;

  /**
   * One try, over within seconds. Never rejects, follows no redirect, and speaks to no address
   * that is not public (but for a service that is bound to loopback). Never names the URL's path
   * or query, which may hold secrets of the receiver.
   */
  send(callback: Callback): Promise<CallbackAnswer>;
}

export interface Callback {
  readonly url: string;
  /** The same for every try. */
  readonly id: string;
  /** Wall time of the try, which is signed. */
  readonly atMs: number;
  /** JSON. */
  readonly body: string;
}

/** The receiver's HTTP status, or why there is none. */
export type CallbackAnswer =
  | { readonly kind: 'answered'; readonly status: number }
  | { readonly kind: 'unanswered'; readonly reason: string };
