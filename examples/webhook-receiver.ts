/**
 * Hears when jobs are over, and believes only what the service has signed:
 *
 *   BATCHWRIGHT_WEBHOOK_SECRET=whsec_… npx node examples/webhook-receiver.ts
 *
 * The service is given the same secret, and jobs the printed address as their callback_url.
 */

import { createServer } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { Webhook } from 'standardwebhooks';

interface JobEvent {
  readonly type: 'job.completed' | 'job.failed' | 'job.cancelled';
  readonly data: { readonly job: string; readonly status: string };
}

const webhook = new Webhook(process.env['BATCHWRIGHT_WEBHOOK_SECRET'] ?? '');

/** Events come at least once: what was heard is not done again. */
const heard = new Set<string>();

const server = createServer((request, response) => {
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
  );
  buffer(request)
    .then((body) => {
      const event = webhook.verify(body, headers) as JobEvent;
      const id = headers['webhook-id'] ?? '';
      if (!heard.has(id)) console.log(`${event.data.job} is ${event.data.status} (${event.type})`);
      heard.add(id);
      response.writeHead(204).end();
    })
    .catch(() => response.writeHead(400).end());
});

server.listen(Number(process.env['PORT'] ?? 0), '127.0.0.1', () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') {
    console.log(`callback_url=http://127.0.0.1:${address.port}/`);
  }
});
