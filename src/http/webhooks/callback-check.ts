/** Which callback URLs the doors take. */

import type { CallbackSender } from '../../ports/callback-sender.ts';
import { Problem } from '../problem.ts';

const PARAM = 'callback_url';

/**
 * The returned function rejects with a Problem for an address that will not be called. Where
 * callers have keys, this machine is not theirs: a proxy may stand in front of a service on
 * loopback, and what else listens there is no tenant's to call.
 */
export function callbackCheck(
  sender: Pick<CallbackSender, 'canSign' | 'problemOf'>,
  hasKeys: () => Promise<boolean>,
): (url: string) => Promise<void> {
  return async (url) => {
    if (!sender.canSign) {
      const message = 'No callbacks are made here: BATCHWRIGHT_WEBHOOK_SECRET is not set.';
      throw new Problem({ status: 400, code: 'not_configured', message, param: PARAM });
    }
    const problem = sender.problemOf(url) ?? ((await hasKeys()) ? insecure(url) : null);
    if (problem === null) return;
    const message = `The callback URL ${problem}.`;
    throw new Problem({ status: 400, code: 'invalid_callback_url', message, param: PARAM });
  };
}

function insecure(url: string): string | null {
  return URL.parse(url)?.protocol === 'https:' ? null : 'must begin with https://';
}
