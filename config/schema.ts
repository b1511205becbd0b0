/** Every setting: its name, unit, range and default. The only list of them. */

import { z } from 'zod';

const DAY_SECONDS = 86_400;

/** A whole number given as text or number, in a range. */
function whole(min: number, max: number) {
  return z.coerce.number().int().min(min).max(max);
}

/** The base URL is journaled and shown, so nothing secret may stand in it. */
function isPlain(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && url.username === '' && url.password === '' && url.search === '';
}

const milliseconds = whole(0, 7 * DAY_SECONDS * 1000);

/** Environment variables, as they are written in a shell or a `.env` file. */
export const settings = z.object({
  OPENAI_API_KEY: z
    .string()
    .trim()
    .min(1)
    .optional()
    .describe('The key that requests are sent with.'),
  OPENAI_BASE_URL: z
    .url({ protocol: /^https?$/ })
    .refine(isPlain, 'must hold neither a name and password nor a query: keys go elsewhere')
    .default('https://api.openai.com/v1')
    .describe('Where the Batch API is.'),
  OPENAI_ORG_ID: z.string().min(1).optional().describe('Sent as OpenAI-Organization.'),
  OPENAI_PROJECT_ID: z.string().min(1).optional().describe('Sent as OpenAI-Project.'),
  REDIS_URL: z
    .url({ protocol: /^rediss?$/ })
    .optional()
    .describe('A Redis server to use; without it a private one is started.'),
  REDIS_SERVER_BIN: z.string().min(1).optional().describe('The redis-server program to start.'),
  BATCHWRIGHT_DATA_DIR: z
    .string()
    .min(1)
    .default('.batchwright')
    .describe('Where jobs are kept; everything durable lies here.'),
  BATCHWRIGHT_CACHE_DIR: z
    .string()
    .min(1)
    .optional()
    .describe('Where a fetched Redis program is kept; default: the user’s cache folder.'),
  BATCHWRIGHT_RUNTIME_DIR: z
    .string()
    .min(1)
    .optional()
    .describe('Where sockets lie; default: the user’s runtime folder.'),
  BATCHWRIGHT_PROVIDER: z
    .string()
    .min(1)
    .optional()
    .describe('The provider profile (limits and quirks); default: by the base URL’s host.'),
  BATCHWRIGHT_COMPLETION_WINDOW: z.string().min(1).optional().describe('Default: the profile’s.'),
  BATCHWRIGHT_POLL_INTERVAL_MS: whole(10, DAY_SECONDS * 1000)
    .optional()
    .describe('Pins the time between two looks at a batch; default: seconds, later minutes.'),
  BATCHWRIGHT_MAX_LIVE_BATCHES: whole(1, 10_000)
    .default(4)
    .describe('Batches of one model that are alive at once.'),
  BATCHWRIGHT_MAX_LINE_BYTES: whole(1_000, 200_000_000)
    .default(10_000_000)
    .describe('A longer request line is rejected.'),
  BATCHWRIGHT_CREATE_SETTLE_MS: milliseconds
    .default(120_000)
    .describe('How long a create without an answer is looked for before it is given up.'),
  BATCHWRIGHT_CREATE_TIMEOUT_MS: whole(100, 600_000)
    .default(60_000)
    .describe('The longest wait for the answer to a create.'),
  BATCHWRIGHT_SWEEP_INTERVAL_MS: whole(100, 3_600_000)
    .default(30_000)
    .describe('The time between two sweeps for lost bells.'),
  BATCHWRIGHT_ATTEMPT_PAUSE_MS: milliseconds
    .default(5_000)
    .describe('Before requests that failed are sent again.'),
  BATCHWRIGHT_RETRY_BASE_MS: whole(1, 3_600_000)
    .default(1_000)
    .describe('The first wait after a failed call; doubles each time.'),
  BATCHWRIGHT_RETRY_MAX_MS: whole(1, 86_400_000)
    .default(120_000)
    .describe('The longest such wait.'),
  BATCHWRIGHT_TOKEN_PAUSE_BASE_MS: whole(1, 86_400_000)
    .default(60_000)
    .describe('The first wait when the provider’s token queue is full; doubles each time.'),
  BATCHWRIGHT_TOKEN_PAUSE_MAX_MS: whole(1, 86_400_000)
    .default(3_600_000)
    .describe('The longest such wait.'),
  BATCHWRIGHT_MISSING_ALERT_MS: milliseconds
    .default(600_000)
    .describe('A batch that the provider does not find for so long is worth an alert.'),
  BATCHWRIGHT_STUCK_ALERT_MS: milliseconds
    .default(3_600_000)
    .describe('A batch that validates so long, or finalizes twice as long, is worth an alert.'),
  BATCHWRIGHT_UPLOAD_EXPIRES_AFTER_SECONDS: whole(3_600, 30 * DAY_SECONDS)
    .optional()
    .describe('How long the provider keeps an input file; default: the profile’s.'),
});

export type Settings = z.infer<typeof settings>;
