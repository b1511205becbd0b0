import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';

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

function request(headers: string, body: Buffer | string): [string, Buffer | string] {
  const sizeBytes = Buffer.byteLength(body);
  const common = `host: x\r\ncontent-length: ${sizeBytes}\r\nconnection: close\r\n`;
  return [`POST / HTTP/1.1\r\n${common}${headers}\r\n\r\n`, body];
}

it('takes a body that is gzipped, and one that is announced and empty', async () => {
  const port = await serve(10_000);
  const gzipped = await rawRequest(port, ...request('content-encoding: GZIP', gzipSync('{"a":1}')));
  expect(gzipped.text).toContain('{"got":{"a":1}}');
  const marked = await rawRequest(port, ...request('x-a: b', '\uFEFF{"a":"é"}'));
  expect(marked.status).toBe(200);
  expect((await rawRequest(port, ...request('x-a: b', ''))).text).toContain('{"got":{}}');
});

it.each([
  ['br', brotliCompressSync('{"a":1}')],
  ['deflate', deflateSync('{"a":1}')],
  ['zstd', Buffer.from('28b52ffd0407390000', 'hex')],
  ['gzip, gzip', gzipSync(gzipSync('{"a":1}'))],
])('refuses a body that is packed as %s before it is read', async (encoding, body) => {
  const port = await serve(10_000);
  const { status, text } = await rawRequest(
    port,
    ...request(`content-encoding: ${encoding}`, body),
  );
  expect(status).toBe(415);
  expect(text).toContain('unsupported_encoding');
  expect(text.toLowerCase()).toContain('accept-encoding: gzip, identity');
});

it.each(['latin1', 'utf-16', 'UTF-32LE', '"iso-8859-1"'])(
  'refuses a body whose type says that it is %s',
  async (charset) => {
    const type = `content-type: application/json; charset=${charset}`;
    const { status, text } = await rawRequest(await serve(10_000), ...request(type, '{"a":1}'));
    expect(status).toBe(415);
    expect(text).toContain('unsupported_charset');
  },
);

it('refuses bytes that are no UTF-8 instead of keeping others', async () => {
  const body = Buffer.from('{"a":"\xff\xfe"}', 'latin1');
  const { status, text } = await rawRequest(await serve(10_000), ...request('x-a: b', body));
  expect(status).toBe(400);
  expect(text).toContain('The body is not UTF-8.');
});
