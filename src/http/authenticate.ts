/** Finds out who calls, by the key that they show. */

import type { Request } from 'express';
import { ipKeyGenerator, MemoryStore } from 'express-rate-limit';
import { LOCAL_TENANT } from '../domain/ids.ts';
import type { AccessKeys, Principal } from '../service/access-keys.ts';
import type { Access } from './contract/route.ts';
import { Problem } from './problem.ts';

export interface AuthenticationRules {
  /** Whether the service is out of reach for other machines. */
  readonly isLoopback: boolean;
  /** Wrong keys from one address within a minute, before it is told to wait. */
  readonly failuresPerMinute: number;
}

export type Authenticate = (
  request: Request,
  access: Exclude<Access, 'public'>,
) => Promise<Principal>;

const MINUTE_MS = 60_000;

/**
 * The function throws a `Problem`: 401 for no key and for every kind of wrong one alike, 403 where
 * the key is right and the route is for administrators, 429 for an address that goes on trying. A
 * right key opens from there all the same: many may share an address. As long as no key was ever
 * made, a service on loopback takes everybody for the local tenant and shows its figures, but
 * nobody is its administrator; calls that a proxy hands on come from elsewhere, and need a key.
 */
export function createAuthenticate(
  keys: Pick<AccessKeys, 'any' | 'authenticate'>,
  { isLoopback, failuresPerMinute }: AuthenticationRules,
): Authenticate {
  const failures = new FailureCount(failuresPerMinute);
  return async (request, access) => {
    const principal = await keys.authenticate(shownKey(request, access));
    if (principal !== null) {
      if (access !== 'tenant' && principal.role !== 'admin') throw forbidden();
      return principal;
    }
    if (access !== 'admin' && isLoopback && !isForwarded(request) && !(await keys.any())) {
      return { tenant: LOCAL_TENANT, role: 'tenant' };
    }
    await failures.add(request);
    throw unauthorized(access);
  };
}

/** Whether a proxy says that somebody else asks: then the address proves nothing. */
function isForwarded({ headers }: Request): boolean {
  return FORWARDED.some((name) => headers[name] !== undefined);
}

const FORWARDED = [
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-real-ip',
  'via',
];

/** Empty where none is shown. */
function shownKey({ headers: { authorization = '' } }: Request, access: Access): string {
  const [, scheme = '', value = ''] = /^([A-Za-z]+) +(\S+) *$/.exec(authorization) ?? [];
  if (scheme.toLowerCase() === 'bearer') return value;
  // Browsers ask people for a name and a password: only pages for administrators are for them.
  if (scheme.toLowerCase() !== 'basic' || access === 'tenant') return '';
  const pair = Buffer.from(value, 'base64').toString();
  return pair.slice(pair.indexOf(':') + 1);
}

class FailureCount {
  readonly #limit: number;
  readonly #store = new MemoryStore();

  constructor(limit: number) {
    this.#limit = limit;
    this.#store.init({ windowMs: MINUTE_MS } as Parameters<MemoryStore['init']>[0]);
  }

  /** Counts one more for the address; throws 429 beyond the limit. */
  async add({ socket }: Request): Promise<void> {
    const { totalHits, resetTime } = await this.#store.increment(
      ipKeyGenerator(socket.remoteAddress ?? ''),
    );
    if (totalHits <= this.#limit) return;
    const waitMs = Math.max(0, (resetTime?.getTime() ?? 0) - Date.now());
    const headers = { 'retry-after': String(Math.ceil(waitMs / 1000)) };
    const message = 'Too many wrong keys from this address; wait a minute.';
    throw new Problem({ status: 429, code: 'too_many_failures', message, headers });
  }
}

/** One text for all: what is wrong with a key is nobody's business. */
function unauthorized(access: Access): Problem {
  const challenge = access === 'tenant' ? 'Bearer' : 'Basic realm="batchwright", Bearer';
  return new Problem({
    status: 401,
    code: 'invalid_api_key',
    message: 'Send a key that is in force as "Authorization: Bearer bw_…".',
    headers: { 'www-authenticate': challenge },
  });
}

function forbidden(): Problem {
  const message = 'This is for administrators; the key is not one of theirs.';
  return new Problem({ status: 403, code: 'forbidden', message });
}
