/** The client against servers that do what the service never does. */

import type { RequestListener } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { ServiceClient } from '../../../src/cli/remote/client.ts';
import { serviceTrouble } from '../../../src/cli/remote/trouble.ts';
import { jobList, planned } from '../../../src/http/contract/job-shapes.ts';
import { createJob, listJobs } from '../../../src/http/contract/jobs.ts';

async function clientOf(listener: RequestListener, path = ''): Promise<ServiceClient> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  return new ServiceClient(`http://127.0.0.1:${port}${path}`, 'bw_key');
}

const problem = (status: number, code: string, more: object = {}): string =>
  JSON.stringify({ type: '', title: '', status, detail: 'No.', code, request_id: 'r-1', ...more });

const EMPTY = JSON.stringify({ object: 'list', data: [], has_more: false, next: null });

/** What the error is to the shell. */
async function exitOf(call: Promise<unknown>) {
  const error: unknown = await call.then(
    () => null,
    (reason: unknown) => reason,
  );
  return serviceTrouble(error) ?? { exit: 0, message: String(error) };
}

it('hears an answer that comes before all of its body is sent, and sends no more', async () => {
  const client = await clientOf((_request, response) => {
    response.writeHead(401, { connection: 'close' }).end(problem(401, 'invalid_api_key'));
  });
  let sent = 0;
  let isEnded = false;
  async function* endless(): AsyncGenerator<Buffer> {
    try {
      for (;;) {
        sent += 1;
        yield Buffer.alloc(1 << 16);
      }
    } finally {
      isEnded = true;
    }
  }
  const call = client.call(createJob, planned, { stream: endless() });
  await expect(call).rejects.toMatchObject({ body: { code: 'invalid_api_key' } });
  expect(isEnded).toBe(true);
  expect(sent).toBeGreaterThan(0);
});

it('gives up the call where what is to be sent cannot be read', async () => {
  const client = await clientOf((request, response) => {
    request.resume().once('end', () => response.end(EMPTY));
  });
  async function* broken(): AsyncGenerator<Buffer> {
    yield Buffer.from('x');
    throw new Error('the disk is gone');
  }
  const call = client.call(createJob, planned, { stream: broken() });
  await expect(call).rejects.toThrow('the disk is gone');
});

it('asks a busy service again, and sends its key and what is asked each time', async () => {
  const asked: string[] = [];
  const client = await clientOf((request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers.authorization}`);
    if (asked.length > 2) return response.end(EMPTY);
    return response
      .writeHead(asked.length === 1 ? 503 : 429, { 'retry-after': '0' })
      .end(problem(503, 'busy'));
  }, '/prefix/v1/');
  const page = await client.call(listJobs, jobList, { query: { limit: 7, after: undefined } });
  expect(page.data).toEqual([]);
  expect(new Set(asked)).toEqual(new Set(['GET /prefix/v1/jobs?limit=7 Bearer bw_key']));
  expect(asked).toHaveLength(3);
});

it('tells what is no answer of the service from what it refuses', async () => {
  const answers = [
    { status: 200, body: '<html>', exit: 1, says: 'BATCHWRIGHT_URL' },
    { status: 200, body: '{"object":"list"}', exit: 1, says: 'listJobs' },
    { status: 501, body: 'Not there', exit: 1, says: 'status 501' },
    { status: 500, body: problem(500, 'internal'), exit: 1, says: 'r-1' },
    { status: 403, body: problem(403, 'forbidden'), exit: 2, says: 'No.' },
    {
      status: 400,
      body: problem(400, 'invalid_value', { param: 'limit' }),
      exit: 2,
      says: 'limit: ',
    },
    { status: 409, body: problem(409, 'not_finished'), exit: 4, says: 'batchwright watch' },
    { status: 409, body: problem(409, 'nothing_to_retry'), exit: 4, says: '--all' },
    { status: 409, body: problem(409, 'already_over'), exit: 4, says: 'No.' },
    { status: 507, body: problem(507, 'no_room'), exit: 4, says: 'No.' },
    {
      status: 400,
      body: problem(400, 'invalid_lines', { errors: [{ line: 9, code: 'x', message: 'bad' }] }),
      exit: 4,
      says: 'line 9: bad',
    },
  ];
  for (const { status, body, exit, says } of answers) {
    const client = await clientOf((_request, response) => response.writeHead(status).end(body));
    const trouble = await exitOf(client.call(listJobs, jobList));
    expect(trouble.message).toContain(says);
    expect(trouble.exit, says).toBe(exit);
  }
});

it('does not wait for ever for an answer', async () => {
  const client = await clientOf(() => undefined);
  const trouble = await exitOf(client.open(listJobs, { idleMs: 50 }));
  expect(trouble).toMatchObject({ exit: 1, message: expect.stringContaining('nothing was heard') });
});

it('takes what a proxy says for a service that is away, and asks again', async () => {
  let asked = 0;
  const client = await clientOf((_request, response) => {
    asked += 1;
    if (asked === 1) response.writeHead(502).end('<html>Bad gateway');
    else response.end(EMPTY);
  });
  expect((await client.call(listJobs, jobList)).data).toEqual([]);
  expect(asked).toBe(2);
  const away = await clientOf((_request, response) => response.writeHead(504).end('<html>'));
  const trouble = await exitOf(away.open(listJobs));
  expect(trouble).toMatchObject({ exit: 1, message: expect.stringContaining('status 504') });
});

it('says once what is wrong with one line', async () => {
  const message = 'Line 1 is longer than 10 bytes.';
  const errors = [{ line: 1, code: 'line_too_long', message }];
  const body = problem(400, 'line_too_long', { detail: message, errors });
  const client = await clientOf((_request, response) => response.writeHead(400).end(body));
  expect(await exitOf(client.call(listJobs, jobList))).toEqual({ exit: 4, message });
});
