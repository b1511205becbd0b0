/** Which callback URLs the doors take. */

import type { CallbackSender } from '../../ports/callback-sender.ts';
import { Problem } from '../problem.ts';

const PARAM = 'callback_url';

/** The returned function throws a Problem for an address that will not be called. */
export function callbackCheck(
  sender: Pick<CallbackSender, 'canSign' | 'problemOf'>,
): (url: string) => void {
  return (url) => {
    if (!sender.canSign) {
      const message = 'No callbacks are made here: BATCHWRIGHT_WEBHOOK_SECRET is not set.';
      throw new Problem({ status: 400, code: 'not_configured', message, param: PARAM });
    }
    const problem = sender.problemOf(url);
    if (problem === null) return;
    const message = `The callback URL ${problem}.`;
    throw new Problem({ status: 400, code: 'invalid_callback_url', message, param: PARAM });
  };
}
