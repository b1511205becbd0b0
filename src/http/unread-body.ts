/** What becomes of a body that was answered before it was read. */

import type { RequestHandler } from 'express';

/**
 * Lets a client that still sends see its answer: the rest is discarded for `graceMs` after the
 * answer, then the connection ends. Closing at once would reset it, and many clients would report
 * that instead of the answer; reading on for ever would let anybody keep a connection.
 */
export function endUnreadBodies(graceMs: number): RequestHandler {
  return (request, response, next) => {
    response.once('finish', () => {
      if (request.complete || request.destroyed) return;
      const timer = setTimeout(() => request.destroy(), graceMs).unref();
      request.once('end', () => clearTimeout(timer)).once('close', () => clearTimeout(timer));
      request.resume();
    });
    next();
  };
}
