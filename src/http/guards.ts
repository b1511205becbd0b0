/** What holds for every request, before anybody asks who sends it. */

import { isIP } from 'node:net';
import type { Request, RequestHandler, Response } from 'express';
import helmet from 'helmet';
import { Problem } from './problem.ts';
import { endUnreadBodies } from './unread-body.ts';

export interface GuardRules {
  /** The address or name that the service was told to listen on. */
  readonly boundHost: string;
  /** Names beside it, in lower case: `name` for any port, or `name:port`. */
  readonly allowedHosts: readonly string[];
  /** Origins beside the service's own, as browsers write them: `https://name`. */
  readonly allowedOrigins: readonly string[];
}

/** How long a refused client may go on sending, so that it sees its answer. */
const GRACE_MS = 5_000;

const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '[::1]'];

/** What pages of allowed origins may send, and what they may read of answers. */
const TAKEN_HEADERS = 'Authorization, Content-Type, Idempotency-Key';
const EXPOSED_HEADERS = 'Location, Retry-After, X-Request-Id';

/** In the order in which they are to stand. */
export function guards(rules: GuardRules): RequestHandler[] {
  return [endUnreadBodies(GRACE_MS), securityHeaders(), checkHost(rules), checkOrigin(rules)];
}

/** The page that is allowed most is ours: everything comes from here, nothing frames it. */
function securityHeaders(): RequestHandler {
  const safe = helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        'default-src': ["'self'"],
        'base-uri': ["'none'"],
        'form-action': ["'self'"],
        'frame-ancestors': ["'none'"],
        'object-src': ["'none'"],
      },
    },
    // TLS is the business of what stands in front, and so is promising it for a year.
    strictTransportSecurity: false,
  });
  return (request, response, next) => {
    // Answers are somebody's: nothing between us may keep them.
    response.setHeader('cache-control', 'no-store');
    safe(request, response, next);
  };
}

/**
 * A page of another site may make a browser call us by a name of its own that points here; such a
 * call carries that name. Loopback names, the bound host and the address that the connection came
 * in on are ours, at any port: an address cannot be made to point elsewhere.
 */
function checkHost({ boundHost, allowedHosts }: GuardRules): RequestHandler {
  const names = new Set([...LOOPBACK_NAMES, bracketed(boundHost), ...allowedHosts]);
  return (request, _response, next) => {
    const host = hostOf(request);
    const isOurs =
      host !== null &&
      (names.has(host.hostname) || names.has(host.host) || host.hostname === addressOf(request));
    if (isOurs) {
      next();
      return;
    }
    const message =
      'The service does not answer to that Host; BATCHWRIGHT_ALLOWED_HOSTS names more.';
    next(new Problem({ status: 421, code: 'misdirected', message }));
  };
}

/** Only browsers send an Origin: pages of other sites get nothing, not even a look. */
function checkOrigin({ allowedOrigins }: GuardRules): RequestHandler {
  const allowed = new Set(allowedOrigins);
  return (request, response, next) => {
    const { origin } = request.headers;
    if (origin === undefined || URL.parse(origin)?.host === hostOf(request)?.host) {
      next();
      return;
    }
    if (allowed.has(origin)) {
      response.setHeader('access-control-allow-origin', origin);
      response.setHeader('access-control-expose-headers', EXPOSED_HEADERS);
      response.vary('Origin');
      if (isPreflight(request)) answerPreflight(response);
      else next();
      return;
    }
    const message = 'Pages of other origins may not call; BATCHWRIGHT_ALLOWED_ORIGINS names more.';
    next(new Problem({ status: 403, code: 'foreign_origin', message }));
  };
}

/** A browser asks so before it lets a page send a key, JSON, or a DELETE. */
function isPreflight({ method, headers }: Request): boolean {
  return method === 'OPTIONS' && headers['access-control-request-method'] !== undefined;
}

function answerPreflight(response: Response): void {
  response.setHeader('access-control-allow-methods', 'GET, HEAD, POST, DELETE');
  response.setHeader('access-control-allow-headers', TAKEN_HEADERS);
  response.status(204).end();
}

/** Host, in lower case and without the port 80; null where it is none. */
function hostOf({ headers: { host } }: Request): { host: string; hostname: string } | null {
  if (host === undefined || !/^[\w.:[\]-]{1,255}$/.test(host)) return null;
  return URL.parse(`http://${host}`);
}

/** Where the connection came in, as a URL writes it. */
function addressOf({ socket }: Request): string {
  return bracketed((socket.localAddress ?? '').replace(/^::ffff:/, ''));
}

function bracketed(host: string): string {
  return isIP(host) === 6 ? `[${host}]` : host.toLowerCase();
}
