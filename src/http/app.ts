/** The Express app: every route of the contract, in front of it what holds for all of them. */

import type { NextFunction, Request, RequestHandler, Response } from 'express';
import express from 'express';
import type { TenantId } from '../domain/ids.ts';
import type { Principal } from '../service/access-keys.ts';
import type { Desk } from '../service/desk.ts';
import type { Call, Mounted, Reply } from './call.ts';
import type { Access, Body, Dialect, Route } from './contract/route.ts';
import { jsonBody } from './json-body.ts';
import { bodyOf, Problem, problemOf } from './problem.ts';
import { queryOf } from './query.ts';
import { validated } from './validate.ts';

export interface AppParts {
  readonly mounted: readonly Mounted[];
  /** Run for every request, in this order, whatever its route. */
  readonly before: readonly RequestHandler[];
  /** Who calls; throws a Problem where the route is not for them. Not asked on public routes. */
  readonly authenticate: (
    request: Request,
    access: Exclude<Access, 'public'>,
  ) => Promise<Principal>;
  /** Run before the handler, when it is known who calls (`response.locals.principal`). */
  readonly limit: RequestHandler;
  readonly desk: (tenant: TenantId) => Desk;
  /** Pages of other makers, each below its path; they answer by themselves. */
  readonly pages: readonly { path: string; access: Access; handler: RequestHandler }[];
  /** Aborted when the service was asked to end. */
  readonly draining: AbortSignal;
  /** Hears of every error that is not the caller's fault. */
  readonly onError: (error: unknown, request: Request, response: Response) => void;
}

/** Public routes are nobody's; their handlers ask for no desk. */
const NOBODY: Principal = { tenant: 'nobody' as TenantId, role: 'tenant' };

export function createApp(parts: AppParts): express.Express {
  const app = express();
  app.disable('x-powered-by');
  app.set('etag', false);
  app.set('query parser', false);
  app.set('case sensitive routing', true);
  for (const handler of parts.before) app.use(handler);
  for (const one of parts.mounted) {
    const { method, path } = one.route;
    // What it rejects with goes to the error handler below.
    app[method](expressPath(path), (request, response) => answer(one, parts, request, response));
  }
  for (const { path, access, handler } of parts.pages) {
    const show = async (request: Request, response: Response, next: NextFunction) => {
      response.locals['page'] = path;
      await admit(access, parts, request, response);
      await handler(request, response, next);
    };
    app.use(path, (request, response, next) => show(request, response, next));
  }
  for (const [path, methods] of methodsByPath(parts.mounted)) {
    app.all(expressPath(path), (request, _response, next) => {
      const allow = methods.join(', ').toUpperCase();
      const message = `This path does not take ${request.method}; it takes ${allow}.`;
      next(new Problem({ status: 405, code: 'method_not_allowed', message, headers: { allow } }));
    });
  }
  app.use((_request, _response, next) => {
    const message = 'There is nothing at this path; /docs shows what there is.';
    next(new Problem({ status: 404, code: 'not_found', message }));
  });
  app.use((error: unknown, request: Request, response: Response, _next: NextFunction) => {
    if (response.headersSent) {
      // Half an answer cannot be taken back: a cut connection tells the client.
      parts.onError(error, request, response);
      response.destroy();
      return;
    }
    const problem = problemOf(error);
    if (problem.status >= 500) parts.onError(error, request, response);
    sendProblem(problem, dialectOf(request), response);
  });
  return app;
}

/** `{name}` as Express writes it. */
function expressPath(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, ':$1');
}

async function answer(
  { route, handle }: Mounted,
  parts: AppParts,
  request: Request,
  response: Response,
): Promise<void> {
  response.locals['route'] = route;
  const principal = await admit(route.access, parts, request, response);
  const call = await callOf(route, principal, parts, request, response);
  const reply = await handle(call);
  if (reply !== undefined) send(reply, response);
}

/** Checks who calls, and how often. */
async function admit(
  access: Access,
  parts: AppParts,
  request: Request,
  response: Response,
): Promise<Principal> {
  const principal = access === 'public' ? NOBODY : await parts.authenticate(request, access);
  if (access !== 'public') response.locals['principal'] = principal;
  await new Promise<void>((resolve, reject) => {
    void parts.limit(request, response, (error?: unknown) => {
      if (error === undefined) resolve();
      else reject(error);
    });
  });
  return principal;
}

async function callOf(
  route: Route,
  { tenant }: Principal,
  parts: AppParts,
  request: Request,
  response: Response,
): Promise<Call<unknown, unknown>> {
  const query = validated(route.query, queryOf(request.url), 'query');
  const json = await jsonOf(route.body, request, response);
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  // It may have gone while its key was looked up: then nothing more is told of it.
  if (response.destroyed) gone.abort();
  return {
    tenant,
    desk: parts.desk(tenant),
    query,
    json,
    request,
    response,
    requestId: requestIdOf(response),
    signal: gone.signal,
    requireAllowed: async () => {
      if (route.access !== 'public') await parts.authenticate(request, route.access);
    },
    draining: parts.draining,
    param: (name) => String(request.params[name] ?? ''),
  };
}

/** Null: there is none, or the handler reads it. */
async function jsonOf(
  body: Body | undefined,
  request: Request,
  response: Response,
): Promise<unknown> {
  if (body === undefined) return null;
  const isNone =
    request.headers['content-length'] === '0' ||
    (request.headers['content-length'] === undefined &&
      request.headers['transfer-encoding'] === undefined);
  if (isNone && body.optional === true) return null;
  const type = (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  if (body.streams?.includes(type) === true) return null;
  if (body.form !== undefined && type === 'multipart/form-data') return null;
  if (body.json === undefined || type !== 'application/json') {
    const taken = [
      ...(body.json === undefined ? [] : ['application/json']),
      ...(body.streams ?? []),
      ...(body.form === undefined ? [] : ['multipart/form-data']),
    ];
    const message = `Send the body as ${taken.join(' or ')}.`;
    throw new Problem({ status: 415, code: 'unsupported_media_type', message });
  }
  return validated(body.json, await jsonBody(request, response), 'body');
}

function send({ status, json, headers }: Reply, response: Response): void {
  response.status(status);
  for (const [name, value] of Object.entries(headers ?? {})) response.setHeader(name, value);
  if (json === undefined) response.end();
  else response.json(json);
}

function sendProblem(problem: Problem, dialect: Dialect, response: Response): void {
  const { type, body } = bodyOf(problem, dialect, requestIdOf(response));
  response.locals['problem'] = problem;
  response.status(problem.status);
  for (const [name, value] of Object.entries(problem.headers)) response.setHeader(name, value);
  response.setHeader('content-type', `${type}; charset=utf-8`);
  response.end(JSON.stringify(body));
}

/** Which kind of client asks, also where no route fits. */
function dialectOf({ path }: Request): Dialect {
  const isOwn = !/^\/v1(\/|$)/.test(path) || /^\/v1\/(jobs|webhooks)(\/|$)/.test(path);
  return isOwn ? 'own' : 'openai';
}

/** What the request is called in logs and answers. */
export function requestIdOf(response: Response): string {
  return String(response.locals['requestId'] ?? '');
}

function methodsByPath(mounted: readonly Mounted[]): Map<string, string[]> {
  const methods = new Map<string, string[]>();
  for (const { route } of mounted) {
    methods.set(route.path, [...(methods.get(route.path) ?? []), route.method]);
  }
  return methods;
}
