/** Callbacks as Standard Webhooks, sent only to where they may go. */

import { Webhook } from 'standardwebhooks';
import type { Callback, CallbackAnswer, CallbackSender } from '../../ports/callback-sender.ts';
import { isLoopback, isPublic } from './address.ts';
import { callbackUrlProblem } from './callback-url.ts';
import type { Resolve } from './guarded-lookup.ts';
import { ADDRESS_BLOCKED, guardedLookup, systemResolve } from './guarded-lookup.ts';
import { post } from './post.ts';

const TIMEOUT_MS = 10_000;

export interface SenderOptions {
  /** `whsec_…`; every callback is signed with each of them. */
  readonly secrets: readonly string[];
  /** Plain http to this machine is fine: the service is bound to loopback. */
  readonly allowLoopback: boolean;
  readonly userAgent: string;
  /** The system's where absent. */
  readonly resolve?: Resolve;
  /** For a whole try, in milliseconds; 10 s where absent. */
  readonly timeoutMs?: number;
}

export function createCallbackSender(options: SenderOptions): CallbackSender {
  const signers = options.secrets.map((secret) => new Webhook(secret));
  const { allowLoopback, resolve = systemResolve, timeoutMs = TIMEOUT_MS } = options;
  // Plain http goes to this machine alone, so https never needs to: it cannot be tricked into it.
  const lookups = {
    'http:': guardedLookup(resolve, isLoopback),
    'https:': guardedLookup(resolve, isPublic),
  };
  const problemOf = (url: string) => callbackUrlProblem(url, allowLoopback);
  return {
    canSign: signers.length > 0,
    problemOf,
    async send({ url, id, atMs, body }: Callback): Promise<CallbackAnswer> {
      const problem = problemOf(url);
      if (problem !== null) return unanswered(`the URL ${problem}`);
      if (signers.length === 0) return unanswered('there is no secret to sign with');
      const at = new Date(atMs);
      const headers = {
        'content-type': 'application/json',
        'user-agent': options.userAgent,
        'webhook-id': id,
        'webhook-timestamp': String(Math.floor(atMs / 1_000)),
        'webhook-signature': signers.map((signer) => signer.sign(id, at, body)).join(' '),
      };
      const target = new URL(url);
      const lookup = lookups[target.protocol === 'http:' ? 'http:' : 'https:'];
      try {
        const status = await post(target, { headers, body, lookup, timeoutMs });
        return { kind: 'answered', status };
      } catch (error) {
        return unanswered(reasonOf(error, timeoutMs));
      }
    },
  };
}

function unanswered(reason: string): CallbackAnswer {
  return { kind: 'unanswered', reason };
}

/** A word of the system's: its sentences could repeat what the receiver sent. */
function reasonOf(error: unknown, timeoutMs: number): string {
  if (!(error instanceof Error)) return 'no answer';
  if (error.name === 'TimeoutError') return `no answer within ${timeoutMs / 1_000} s`;
  const code = 'code' in error ? String(error.code) : error.name;
  return code === ADDRESS_BLOCKED ? 'its name leads to an address that is not public' : code;
}
