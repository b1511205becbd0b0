/** What `watch` shows when the service goes away and comes back. */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { openPlace } from '../../support/command.ts';
import { AWAY, chunks, counts, ID, job } from './pretended-job.ts';

it('never goes back to what it showed before, while nothing is heard', async () => {
  const looks = [
    { status: 200, body: job('running', 3) },
    { status: 200, body: job('running', 3) },
    { status: 504, body: AWAY },
    { status: 200, body: job('completed', 10) },
  ];
  const progress = JSON.stringify({ status: 'running', counts: counts(7), chunks: chunks(7) });
  // Progress is shown once a second: only what the second connection says is due.
  const streams = ['', `event: progress\ndata: ${progress}\n\n`];
  const server = createServer((request, response) => {
    if (request.url?.endsWith('/events') === true) {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).end(streams.shift());
      return;
    }
    const { status = 500, body = '' } = looks.shift() ?? {};
    response.writeHead(status).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    await new Promise((resolve) => server.close(resolve));
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const place = await openPlace(`${url}/v1`);
  const watched = await place.command(['watch', ID, '--json', '--url', url]);
  expect(watched.code, watched.stderr).toBe(0);
  const events = watched.stdout.trimEnd().split('\n');
  const shown = events.map((line) => JSON.parse(line) as { type: string; done?: number });
  const done = shown.filter(({ type }) => type === 'progress').map((event) => event.done);
  expect(done).toEqual([3, 7, 10]);
});
