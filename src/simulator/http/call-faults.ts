/** The faults of single calls: wrong statuses, late, cut and missing answers. */

import type { IncomingMessage } from 'node:http';
import { finished } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Response } from 'express';

import {
  AFTER_WORK,
  type AfterWork,
  BEFORE_WORK,
  type BeforeWork,
  type CallFault,
  type Operation,
} from '../faults/names.ts';
import type { FaultSwitch } from '../faults/switches.ts';
import type { World } from '../world.ts';
import { ApiError, type ApiErrorDetails } from './api-error.ts';
import type { Reply } from './reply.ts';

/** True: a fault has answered, or made sure that nobody will. Throws an ApiError to answer. */
export async function strikeBeforeWork(
  world: World,
  operation: Operation,
  subject: string,
  request: IncomingMessage,
  response: Response,
): Promise<boolean> {
  for (const name of Object.keys(BEFORE_WORK) as BeforeWork[]) {
    const fault = struck(world, operation, name, subject);
    if (fault === null) continue;
    if (name === 'slow') {
      await sleep(fault.delayMs ?? 1000);
      continue;
    }
    if (name === 'reset') return reset(response);
    if (name === 'hang') return hang(response);
    await drain(request);
    if (name === 'html_502') return answerHtml(response);
    throw refusal(name, fault);
  }
  return false;
}

/** As strikeBeforeWork, for a call whose work is done. */
export async function strikeAfterWork(
  world: World,
  operation: Operation,
  subject: string,
  reply: Reply,
  response: Response,
): Promise<boolean> {
  for (const name of Object.keys(AFTER_WORK) as AfterWork[]) {
    const fault = struck(world, operation, name, subject);
    if (fault === null) continue;
    if (name === 'timeout_after_work') return hang(response);
    if (name === 'reset_after_work') return reset(response);
    if (name === 'html_502_after_work') return answerHtml(response);
    if (name === 'truncated_200_after_work') return truncate(response, reply);
    throw refusal(name === '409_after_work' ? '409' : 'server_error_500', fault);
  }
  return false;
}

function struck(
  world: World,
  operation: Operation,
  name: CallFault,
  subject: string,
): FaultSwitch | null {
  return (
    world.faults.strikes(`${operation}_${name}`, subject) ?? world.faults.strikes(name, subject)
  );
}

/** Reads an upload to its end: a client that is still sending would not hear the answer. */
async function drain(request: IncomingMessage): Promise<void> {
  if (request.readableEnded) return;
  request.resume();
  await finished(request, { writable: false }).catch(() => undefined);
}

function reset(response: Response): true {
  response.socket?.resetAndDestroy();
  return true;
}

async function hang(response: Response): Promise<true> {
  if (!response.destroyed) {
    await new Promise<void>((resolve) => response.once('close', () => resolve()));
  }
  return true;
}

function answerHtml(response: Response): true {
  const page = '<html><head><title>502 Bad Gateway</title></head><body>502</body></html>';
  response.status(502).type('html').send(page);
  return true;
}

function truncate(response: Response, reply: Reply): true {
  const text = JSON.stringify(reply.body);
  response.status(200).type('json').set('Connection', 'close');
  response.write(text.slice(0, Math.floor(text.length / 2)));
  response.end();
  return true;
}

type Refused = Exclude<BeforeWork, 'slow' | 'reset' | 'hang' | 'html_502'>;

function refusal(name: Refused, fault: FaultSwitch): ApiError {
  const details = REFUSALS[name];
  if (name !== 'rate_limit_429') return new ApiError(details);
  const headers = { 'Retry-After': String(fault.retryAfterSeconds ?? 1) };
  return new ApiError({ ...details, headers });
}

const REFUSALS: Readonly<Record<Refused, ApiErrorDetails>> = {
  rate_limit_429: {
    status: 429,
    message: 'Rate limit reached for requests.',
    type: 'requests',
    code: 'rate_limit_exceeded',
  },
  insufficient_quota: {
    status: 429,
    message: 'You exceeded your current quota; check your plan and billing details.',
    type: 'insufficient_quota',
    code: 'insufficient_quota',
  },
  unauthorized_401: {
    status: 401,
    message: 'Incorrect API key provided.',
    code: 'invalid_api_key',
  },
  forbidden_403: {
    status: 403,
    message: 'You are not allowed to do this with the project of the key.',
    code: 'forbidden',
  },
  '409': { status: 409, message: 'The resource is in use: try again.' },
  server_error_500: {
    status: 500,
    message: 'The server had an error while processing your request.',
    type: 'server_error',
  },
};
