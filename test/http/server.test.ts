import type { Server } from 'node:http';

import express from 'express';
import { expect, it } from 'vitest';

import { rawRequest, serveApp } from './support/small-app.ts';

/** A server that tells of its own limits, and hands itself out at its first call. */
async function limited() {
  const found = Promise.withResolvers<Server>();
  const app = express();
  app.get('/', ({ socket }, response) => {
    const { server } = socket as typeof socket & { server: Server };
    found.resolve(server);
    const { requestTimeout, headersTimeout } = server;
    response.json({ requestTimeout, headersTimeout });
  });
  const port = await serveApp(app);
  const answer = await fetch(`http://127.0.0.1:${port}/`);
  return { port, limits: await answer.json(), server: await found.promise };
}

it('gives a request all the time that its body takes, and its headers 15 seconds', async () => {
  const { limits } = await limited();
  expect(limits).toEqual({ requestTimeout: 0, headersTimeout: 15_000 });
});

it('gives a client up whose headers do not come', async () => {
  const { port, server } = await limited();
  // Node looks every few seconds; the limit itself need not be waited for.
  server.headersTimeout = 50;
  const { status, text } = await rawRequest(port, 'GET / HTTP/1.1\r\nhost: x\r\nx-slow: ');
  expect([status, text]).toEqual([408, expect.stringMatching(/connection: close/i)]);
});
