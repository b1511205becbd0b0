/** Clients that have gone: nothing is begun for them that would be of use to them alone. */

import { Problem } from './problem.ts';

/** `signal`: the call's. Throws a Problem (499) that nobody reads where the client has gone. */
export function requireThere(signal: AbortSignal): void {
  if (!signal.aborted) return;
  const message = 'The client went away before it had its answer.';
  throw new Problem({ status: 499, code: 'client_gone', message });
}
