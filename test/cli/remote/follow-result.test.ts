/** A followed result where the service goes away in the middle. */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { ServiceClient } from '../../../src/cli/remote/client.ts';
import { followResult } from '../../../src/cli/remote/follow-result.ts';
import { AWAY, ID, job } from './pretended-job.ts';

it('waits for a service that is away, and gives every line once', async () => {
  const whole = { size_bytes: 4, sha256: 'x', lines: 2 };
  const looks = [
    { status: 200, body: job('running', 3) },
    { status: 504, body: AWAY },
    { status: 200, body: job('completed', 10, whole) },
  ];
  const ranges: unknown[] = [];
  const server = createServer((request, response) => {
    if (request.url?.endsWith('/result?follow=1') === true) return response.end('a\n');
    if (request.url?.endsWith('/result') === true) {
      ranges.push(request.headers.range);
      return response.writeHead(206, { 'content-range': 'bytes 2-3/4' }).end('b\n');
    }
    const { status = 500, body = '' } = looks.shift() ?? {};
    return response.writeHead(status).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    await new Promise((resolve) => server.close(resolve));
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const blocks: Buffer[] = [];
  for await (const block of followResult(ID, new ServiceClient(url, null))) blocks.push(block);
  expect(Buffer.concat(blocks).toString()).toBe('a\nb\n');
  expect(ranges).toEqual(['bytes=2-']);
  expect(looks).toEqual([]);
});
