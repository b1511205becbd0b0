/** Looks names up for a connection, and lets it see only what every answer allows. */

import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import type { LookupFunction } from 'node:net';

/** All addresses of a name. */
export type Resolve = (hostname: string) => Promise<readonly LookupAddress[]>;

/** The code of the error where a name leads to an address that is not allowed. */
export const ADDRESS_BLOCKED = 'ADDRESS_BLOCKED';

/** As the system looks names up. */
export const systemResolve: Resolve = (hostname) => lookup(hostname, { all: true });

/**
 * The connection goes to the very addresses that were checked: a name that leads elsewhere the
 * next time changes nothing. One bad address among good ones is enough to refuse.
 */
export function guardedLookup(
  resolve: Resolve,
  isAllowed: (address: string) => boolean,
): LookupFunction {
  return (hostname, options, reply) => {
    resolve(hostname).then(
      (addresses) => {
        const [first] = addresses;
        if (first === undefined || !addresses.every(({ address }) => isAllowed(address))) {
          reply(blocked(), []);
        } else if (options.all === true) {
          reply(null, [...addresses]);
        } else {
          reply(null, first.address, first.family);
        }
      },
      (error: NodeJS.ErrnoException) => reply(error, []),
    );
  };
}

function blocked(): NodeJS.ErrnoException {
  const message = 'the name leads to an address that callbacks may not go to';
  return Object.assign(new Error(message), { code: ADDRESS_BLOCKED });
}
