import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

import { InvalidWebhookSignatureError, type OpenAI } from 'openai';
import { expect, onTestFinished, test } from 'vitest';

import type { FaultSwitch } from '../../src/simulator/faults/switches.ts';
import { chatLines, openWorld, runBatch } from './support/world.ts';

const SECRET = `whsec_${Buffer.from('a secret of some length').toString('base64')}`;

interface Heard {
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** A receiver that answers with the statuses in turn, the last one for ever. */
async function listenForHooks(statuses: readonly number[]) {
  const heard: Heard[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      response.statusCode = statuses[heard.length] ?? statuses.at(-1) ?? 200;
      heard.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { heard, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook` };
}

async function hear(faults: FaultSwitch[], statuses = [200]) {
  const { heard, url } = await listenForHooks(statuses);
  const world = await openWorld({ webhook: { url, secret: SECRET }, faults });
  const batch = await runBatch(world, chatLines(2));
  return { ...world, heard, batch };
}

async function unwrap(client: OpenAI, hook: Heard | undefined) {
  const headers = Object.entries(hook?.headers ?? {}).map(([name, value]): [string, string] => [
    name,
    String(value),
  ]);
  return client.webhooks.unwrap(hook?.body ?? '', new Headers(headers), SECRET);
}

test('the end of a batch is announced with a signature that the SDK accepts', async () => {
  const { client, heard, batch } = await hear([]);
  expect(heard).toHaveLength(1);
  expect(await unwrap(client, heard[0])).toMatchObject({
    object: 'event',
    type: 'batch.completed',
    data: { id: batch.id },
  });
});

test('a receiver that fails is told again, with the same id', async () => {
  const { heard } = await hear([], [500, 200]);
  expect(heard).toHaveLength(2);
  expect(heard[0]?.headers['webhook-id']).toBe(heard[1]?.headers['webhook-id']);
});

test('a forged signature is refused by the SDK', async () => {
  const { client, heard } = await hear([{ name: 'webhook_bad_signature' }]);
  await expect(unwrap(client, heard[0])).rejects.toThrow(InvalidWebhookSignatureError);
});

test('webhooks can be sent twice or lost', async () => {
  expect((await hear([{ name: 'webhook_duplicate' }])).heard).toHaveLength(2);
  expect((await hear([{ name: 'webhook_lost' }])).heard).toHaveLength(0);
});
