/**
 * One call, from its arrival to its end: counted, let through the gates, struck by faults before
 * and after its work, answered in the API's shapes.
 */

import { randomUUID } from 'node:crypto';

import type { Request, RequestHandler, Response } from 'express';

import type { Operation } from '../faults/names.ts';
import type { World } from '../world.ts';
import { ApiError } from './api-error.ts';
import { strikeAfterWork, strikeBeforeWork } from './call-faults.ts';
import type { Reply } from './reply.ts';

export interface Route {
  readonly verb: 'get' | 'post' | 'delete';
  readonly path: string;
  readonly operation: Operation;
  /** Does the work; null where it has answered by itself. Throws an ApiError to refuse. */
  answer(request: Request, response: Response): Promise<Reply | null>;
}

/** The express handler of a route. */
export function exchange(world: World, route: Route): RequestHandler {
  return async (request, response) => {
    const { operation } = route;
    const path = request.originalUrl;
    world.ledger.recordCall(operation);
    world.events.emit({ type: 'call_started', operation, path });
    response.setHeader('x-request-id', `req_${randomUUID().replaceAll('-', '')}`);
    response.once('close', () => {
      const status = response.writableFinished ? response.statusCode : null;
      world.events.emit({ type: 'call_ended', operation, path, status });
    });
    try {
      await perform(world, route, request, response);
    } catch (error) {
      refuse(request, response, error);
    }
  };
}

/** Answers with the envelope of an ApiError; anything else is a mistake of the simulator. */
export function refuse(request: Request, response: Response, error: unknown): void {
  if (response.destroyed || response.headersSent) {
    response.destroy();
    return;
  }
  request.resume();
  const known =
    error instanceof ApiError
      ? error
      : new ApiError({ status: 500, message: `simulator: ${String(error)}`, type: 'server_error' });
  response.status(known.status).set(known.headers).json(known.body);
}

async function perform(
  world: World,
  route: Route,
  request: Request,
  response: Response,
): Promise<void> {
  const subject = `${route.verb} ${request.originalUrl}`;
  checkKey(world, request);
  await world.gates.pass(route.operation, 'before');
  if (await strikeBeforeWork(world, route.operation, subject, request, response)) return;
  const reply = await route.answer(request, response);
  if (reply === null) return;
  await world.gates.pass(route.operation, 'after');
  const whole = `${subject} ${JSON.stringify(reply.body)}`;
  if (await strikeAfterWork(world, route.operation, whole, reply, response)) return;
  response.status(reply.status).json(reply.body);
}

function checkKey(world: World, request: Request): void {
  const keys = world.settings.apiKeys;
  if (keys === null) return;
  const key = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
  if (key !== undefined && keys.includes(key)) return;
  throw new ApiError({
    status: 401,
    message: key === undefined ? 'You did not provide an API key.' : 'Incorrect API key provided.',
    code: key === undefined ? null : 'invalid_api_key',
  });
}
