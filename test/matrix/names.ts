/** Host names for the matrix: all of them lead to this machine, unless a test takes one away. */

import dns from 'node:dns';

/** Names below this are ours; the top level is reserved for this machine. */
const OURS = '.matrix.localhost';

const away = new Map<string, { lookups: number }>();

type Callback = (error: Error | null, address?: unknown, family?: number) => void;

/** From now on names of ours are answered here, and no look-up leaves the process for them. */
export function answerNames(): void {
  const original = dns.lookup;
  const lookup = (host: string, options: unknown, done?: Callback): void => {
    const callback = (done ?? options) as Callback;
    if (!host.endsWith(OURS)) {
      (original as unknown as (...all: unknown[]) => void)(host, options, callback);
      return;
    }
    const missing = away.get(host);
    const lookups = missing === undefined ? 0 : (missing.lookups += 1);
    setImmediate(() => {
      if (missing !== undefined) callback(notFound(host, lookups));
      else if (wantsAll(options)) callback(null, [{ address: '127.0.0.1', family: 4 }]);
      else callback(null, '127.0.0.1', 4);
    });
  };
  dns.lookup = lookup as unknown as typeof dns.lookup;
}

/** A host name of ours. */
export function nameOf(label: string): string {
  return `${label}${OURS}`;
}

/** The name is not found until `giveBack`. */
export function takeAway(host: string): void {
  away.set(host, { lookups: 0 });
}

export function giveBack(host: string): void {
  away.delete(host);
}

function wantsAll(options: unknown): boolean {
  return typeof options === 'object' && options !== null && 'all' in options && !!options.all;
}

/** The shape of the system's own failure; every other time it is the one that may pass. */
function notFound(host: string, lookups: number): Error {
  const code = lookups % 2 === 0 ? 'EAI_AGAIN' : 'ENOTFOUND';
  const error = new Error(`getaddrinfo ${code} ${host}`);
  return Object.assign(error, { code, errno: -3007, syscall: 'getaddrinfo', hostname: host });
}
