/** How often one tenant may call, or one address what is for everybody. */

import type { RequestHandler, Response } from 'express';
import { ipKeyGenerator, rateLimit } from 'express-rate-limit';
import type { Principal } from '../service/access-keys.ts';
import type { Route } from './contract/route.ts';
import { Problem } from './problem.ts';

const MINUTE_MS = 60_000;

/**
 * Counts in this process, by `response.locals.principal` where it is known; else by address, and
 * each path by itself: who reads the reference too often keeps no webhook out. Tells what is left
 * in RateLimit headers, and answers 429 with Retry-After beyond it. 0 is no limit.
 */
export function createRateLimit(callsPerMinute: number): RequestHandler {
  if (callsPerMinute === 0) return (_request, _response, next) => next();
  return rateLimit({
    windowMs: MINUTE_MS,
    limit: callsPerMinute,
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    identifier: 'calls',
    // Its checks are about proxies, which nothing here trusts, and speak to the console.
    validate: false,
    skip: (_request, response) => routeOf(response)?.isUnlimited === true,
    keyGenerator: ({ socket }, response) => {
      const tenant = principalOf(response)?.tenant;
      if (tenant !== undefined) return `tenant ${tenant}`;
      const path = routeOf(response)?.path ?? '';
      return `address ${ipKeyGenerator(socket.remoteAddress ?? '')} ${path}`;
    },
    handler: (_request, response, next) => {
      const headers = { 'retry-after': String(response.getHeader('retry-after') ?? 1) };
      const message = `At most ${callsPerMinute} calls a minute; wait for Retry-After seconds.`;
      next(new Problem({ status: 429, code: 'too_many_calls', message, headers }));
    },
  });
}

function principalOf(response: Response): Principal | undefined {
  return response.locals['principal'] as Principal | undefined;
}

function routeOf(response: Response): Route | undefined {
  return response.locals['route'] as Route | undefined;
}
