/** A receiver of webhooks on loopback, which answers as the test says. */

import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { onTestFinished } from 'vitest';

export interface Heard {
  readonly headers: Record<string, string>;
  readonly body: string;
}

/** A status, or what is done with the answer; by the number of the call, from 1. */
export type Answering = (call: number) => number | ((response: ServerResponse) => void);

export interface Receiver {
  readonly url: string;
  readonly heard: readonly Heard[];
}

/** Goes with the test. */
export async function startReceiver(answering: Answering = () => 204): Promise<Receiver> {
  const heard: Heard[] = [];
  const server = createServer((request, response) => {
    const blocks: Buffer[] = [];
    request.on('data', (block: Buffer) => blocks.push(block));
    request.on('end', () => {
      heard.push({ headers: flat(request.headers), body: Buffer.concat(blocks).toString() });
      const answer = answering(heard.length);
      if (typeof answer === 'number') response.writeHead(answer).end();
      else answer(response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { heard, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook` };
}

function flat(headers: IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
}
