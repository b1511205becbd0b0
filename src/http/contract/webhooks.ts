/** What the provider calls: a batch of its has ended. */

import { fault } from './problem.ts';
import { defineRoute, NO_QUERY } from './route.ts';

export const hearProvider = defineRoute({
  operation: 'hearProvider',
  method: 'post',
  path: '/v1/webhooks/openai',
  summary: 'Take a webhook of the provider',
  description:
    'For the provider alone, which signs what it sends. It is a hint to look at a batch now; ' +
    'without it, or where it is lost, batches are looked at all the same.',
  tag: 'Webhooks',
  access: 'public',
  dialect: 'own',
  query: NO_QUERY,
  headers: {
    'webhook-id': 'The same for every delivery of one event.',
    'webhook-timestamp': 'Unix seconds; within five minutes of now.',
    'webhook-signature': 'As the provider signs.',
  },
  body: { streams: ['application/json'] },
  answers: {
    204: { description: 'It was heard; also where it was heard before.' },
    400: fault('It is not signed by the provider, or not now.'),
    404: fault('No secret of the provider’s webhooks is configured.'),
    413: fault('The body is larger than 1 MB.'),
  },
});
