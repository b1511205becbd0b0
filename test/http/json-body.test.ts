import express from 'express';
import { expect, it } from 'vitest';

import { jsonBody } from '../../src/http/json-body.ts';
import { endUnreadBodies } from '../../src/http/unread-body.ts';
import { answerProblem, rawRequest, serveApp } from './support/small-app.ts';

/** Says what JSON it got; waits for it no longer than this. */
async function serve(patienceMs: number): Promise<number> {
  const app = express();
  app.use(endUnreadBodies(20));
  app.post('/', (request, response, next) => {
    jsonBody(request, response, patienceMs).then((got) => response.json({ got }), next);
  });
  app.use(answerProblem);
  return serveApp(app);
}

function head(sizeBytes: number): string {
  return `POST / HTTP/1.1\r\nhost: x\r\ncontent-length: ${sizeBytes}\r\nconnection: close\r\n\r\n`;
}

it('takes a body that is there in time', async () => {
  const { status, text } = await rawRequest(await serve(10_000), head(7), '{"a":1}');
  expect(status).toBe(200);
  expect(text).toContain('{"got":{"a":1}}');
});

it('gives a connection up whose body does not come', async () => {
  const { status, text } = await rawRequest(await serve(50), head(100), '{"a":');
  expect(status).toBe(408);
  expect(text).toContain('too_slow');
});
