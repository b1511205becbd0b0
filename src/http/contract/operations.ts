/** What operators and their machines ask: health, metrics, and this contract itself. */

import { z } from 'zod';
import { defineRoute, NO_QUERY } from './route.ts';

const common = { tag: 'Operations', method: 'get', dialect: 'own', query: NO_QUERY } as const;

export const alive = z
  .object({ status: z.literal('ok'), version: z.string() })
  .meta({ id: 'Alive' });

export const readiness = z
  .object({
    status: z
      .enum(['ready', 'not_ready', 'draining'])
      .describe('draining: it was asked to end, and takes nothing new.'),
    checks: z.array(
      z.object({
        name: z.string().describe('redis, store or room.'),
        ok: z.boolean(),
        detail: z.string().optional().describe('What was found; only on loopback.'),
        problem: z.string().optional().describe('What is wrong, and the way out; likewise.'),
      }),
    ),
  })
  .meta({ id: 'Readiness' });

export type ReadinessBody = z.infer<typeof readiness>;

export const getHealth = defineRoute({
  ...common,
  operation: 'getHealth',
  path: '/healthz',
  access: 'public',
  isUnlimited: true,
  summary: 'Whether the process answers',
  answers: { 200: { description: 'It does.', schema: alive } },
});

export const getReadiness = defineRoute({
  ...common,
  operation: 'getReadiness',
  path: '/readyz',
  access: 'public',
  isUnlimited: true,
  summary: 'Whether work can be taken now: Redis, the store, the room on its disk',
  answers: {
    200: { description: 'It can.', schema: readiness },
    503: { description: 'It cannot.', schema: readiness },
  },
});

export const getMetrics = defineRoute({
  ...common,
  operation: 'getMetrics',
  path: '/metrics',
  access: 'operator',
  summary: 'Figures in Prometheus’ text format',
  description: 'Gauges speak of the whole installation, counters of the process that answers.',
  answers: {
    200: { description: 'The figures.', contentType: 'text/plain' },
  },
});

/** Made by others; what it is made of lies below its path. */
export const getQueues = defineRoute({
  ...common,
  operation: 'getQueues',
  path: '/admin/queues',
  access: 'admin',
  summary: 'The queues as a page, to look at only',
  query: z.looseObject({}),
  answers: { 200: { description: 'A page.', contentType: 'text/html' } },
});

export const getOpenApi = defineRoute({
  ...common,
  operation: 'getOpenApi',
  path: '/openapi.json',
  access: 'public',
  summary: 'This reference for programs: an OpenAPI 3.1 document',
  answers: {
    200: { description: 'The document.', schema: z.looseObject({ openapi: z.string() }) },
  },
});

export const getDocs = defineRoute({
  ...common,
  operation: 'getDocs',
  path: '/docs',
  access: 'public',
  summary: 'This reference for people',
  answers: { 200: { description: 'A page.', contentType: 'text/html' } },
});

export const getDocsStyle = defineRoute({
  ...common,
  operation: 'getDocsStyle',
  path: '/docs/style.css',
  access: 'public',
  summary: 'How the page looks',
  answers: { 200: { description: 'A style sheet.', contentType: 'text/css' } },
});
