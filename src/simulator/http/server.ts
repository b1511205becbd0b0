/** The HTTP server of a world. */

import { createServer, type Server } from 'node:http';

import express, { type ErrorRequestHandler, type Express } from 'express';

import { batchesRoutes } from '../batches/routes.ts';
import type { Controls } from '../controls.ts';
import { filesRoutes } from '../files/routes.ts';
import type { World } from '../world.ts';
import { ApiError } from './api-error.ts';
import { exchange, refuse } from './exchange.ts';
import { controlRoutes } from './control-routes.ts';

/** Listens on the host and port; resolves when it does. */
export async function listen(
  world: World,
  controls: Controls,
  host: string,
  port: number,
): Promise<Server> {
  const server = createServer(application(world, controls));
  // Node would cut uploads that take longer than five minutes.
  server.requestTimeout = 0;
  server.keepAliveTimeout = 30_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  return server;
}

function application(world: World, controls: Controls): Express {
  const app = express();
  app.disable('x-powered-by');
  app.set('etag', false);
  app.use('/v1/batches', express.json({ limit: '1mb' }));
  for (const route of [...filesRoutes(world), ...batchesRoutes(world)]) {
    app[route.verb](route.path, exchange(world, route));
  }
  app.get('/v1/models', (_request, response) => {
    const data = (world.settings.models ?? []).map((id) => ({ id, object: 'model' }));
    response.json({ object: 'list', data });
  });
  app.use('/simulator', controlRoutes(world, controls));
  app.use((request, response) => {
    const message = `Invalid URL (${request.method} ${request.originalUrl})`;
    refuse(request, response, new ApiError({ status: 404, message }));
  });
  app.use(onError);
  return app;
}

/** Express knows an error handler by its four parameters. */
const onError: ErrorRequestHandler = (error: unknown, request, response, _next) => {
  const status = (error as { status?: unknown } | null)?.status;
  if (typeof status !== 'number' || status >= 500) return refuse(request, response, error);
  const message = 'We could not parse the JSON body of your request.';
  refuse(request, response, new ApiError({ status, message }));
};
