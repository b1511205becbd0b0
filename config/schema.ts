/** Every setting: its name, unit, range and default. The only list of them. */

import { z } from 'zod';

const DAY_SECONDS = 86_400;

/** Names of the queues, as a worker is told them. */
const QUEUE_NAMES = ['plan', 'dispatch', 'poll', 'settle', 'merge'] as const;

/** A whole number given as text or number, in a range. */
function whole(min: number, max: number) {
  const mustBe = `must be a whole number from ${min} to ${max}`;
  return z.coerce.number(mustBe).int(mustBe).min(min, mustBe).max(max, mustBe);
}

function oneOf<const Words extends readonly [string, ...string[]]>(...words: Words) {
  return z.enum(words, `must be one of ${words.join(', ')}`);
}

function text(mustBe = 'must be a text') {
  return z.string(mustBe).min(1, mustBe);
}

/** What is sent in a header or stands in a URL has no room for anything else. */
function secretWord() {
  const mustBe = 'must be one word of visible ASCII characters';
  return z
    .string(mustBe)
    .trim()
    .regex(/^[\x21-\x7e]+$/, mustBe);
}

/** A base URL is journaled and shown, so nothing secret may stand in it. */
function baseUrl() {
  const mustBe = 'must be an http or https URL without a name, a password or a query';
  return z.url({ protocol: /^https?$/, error: mustBe }).refine(isPlain, mustBe);
}

function isPlain(given: string): boolean {
  const url = URL.parse(given);
  return url !== null && url.username === '' && url.password === '' && url.search === '';
}

/** One or two, so that receivers can change over while both are sent. */
function webhookSecrets() {
  const mustBe =
    'must be one or two secrets, a space between, each whsec_ and 24 to 64 bytes in base64';
  return z
    .string(mustBe)
    .trim()
    .refine((given) => given.split(/\s+/).length <= 2, mustBe)
    .refine((given) => given.split(/\s+/).every(isWebhookSecret), mustBe);
}

function isWebhookSecret(given: string): boolean {
  const base64 = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(given)?.[1] ?? '';
  const sizeBytes = Buffer.from(base64, 'base64').length;
  return sizeBytes >= 24 && sizeBytes <= 64;
}

function queueNames() {
  const mustBe = `must be some of ${QUEUE_NAMES.join(',')}, separated by commas`;
  return z
    .string(mustBe)
    .transform((given) => [...new Set(given.split(',').map((name) => name.trim()))])
    .pipe(z.array(z.enum(QUEUE_NAMES, mustBe)));
}

/** Of names as a Host header has them: `name` for any port, or `name:port`. */
function hostNames() {
  const mustBe = 'must be host names separated by commas, each with or without :port';
  return listOf(z.string().regex(/^([a-z0-9_.-]+|\[[0-9a-f:]+\])(:\d{1,5})?$/, mustBe), mustBe);
}

/** Of origins as browsers write them. */
function origins() {
  const mustBe = 'must be origins separated by commas, such as https://batches.example.com';
  return listOf(
    z.string().refine((given) => URL.parse(given)?.origin === given, mustBe),
    mustBe,
  );
}

function listOf(item: z.ZodType<string, string>, mustBe: string) {
  return z
    .string(mustBe)
    .transform((given) =>
      given
        .toLowerCase()
        .split(',')
        .map((one) => one.trim()),
    )
    .pipe(z.array(item));
}

const milliseconds = whole(0, 7 * DAY_SECONDS * 1000);
const port = whole(0, 65_535);

/** Environment variables, as they are written in a shell or a `.env` file. */
export const settings = z.object({
  OPENAI_API_KEY: secretWord().optional().describe('The key that requests are sent with.'),
  OPENAI_BASE_URL: baseUrl()
    .default('https://api.openai.com/v1')
    .describe('Where the Batch API is.'),
  OPENAI_ORG_ID: text().optional().describe('Sent as OpenAI-Organization.'),
  OPENAI_PROJECT_ID: text().optional().describe('Sent as OpenAI-Project.'),
  OPENAI_WEBHOOK_SECRET: secretWord()
    .optional()
    .describe('Verifies the provider’s webhooks; without it none are taken.'),
  REDIS_URL: z
    .url({ protocol: /^rediss?$/, error: 'must be a redis or rediss URL' })
    .optional()
    .describe('A Redis server to use; without it a private one is started.'),
  REDIS_SERVER_BIN: text().optional().describe('The redis-server program to start.'),
  BATCHWRIGHT_DATA_DIR: text()
    .default('.batchwright')
    .describe('Where jobs are kept; everything durable lies here.'),
  BATCHWRIGHT_CACHE_DIR: text()
    .optional()
    .describe('Where a fetched Redis program is kept; default: the user’s cache folder.'),
  BATCHWRIGHT_RUNTIME_DIR: text()
    .optional()
    .describe('Where sockets lie; default: the user’s runtime folder.'),
  BATCHWRIGHT_PORT: port
    .default(8080)
    .describe('The port that the service listens on; 0: any free one.'),
  BATCHWRIGHT_HOST: text()
    .default('127.0.0.1')
    .describe('The address that the service listens on; beyond this machine it asks for keys.'),
  BATCHWRIGHT_WORKERS: oneOf('inline', 'none')
    .default('inline')
    .describe('Whether the service’s process works too, or leaves that to worker processes.'),
  BATCHWRIGHT_QUEUES: queueNames()
    .default([...QUEUE_NAMES])
    .describe('The queues that a worker process answers.'),
  BATCHWRIGHT_WORKER_PORT: port
    .optional()
    .describe('The port on 127.0.0.1 where a worker process says how it is; default: none.'),
  BATCHWRIGHT_LOG_LEVEL: oneOf('debug', 'info', 'warn', 'error', 'silent')
    .default('info')
    .describe('The least level that the logs of services and workers hold.'),
  BATCHWRIGHT_MIN_FREE_BYTES: whole(0, Number.MAX_SAFE_INTEGER)
    .default(1_000_000_000)
    .describe('With less room on its disk the service takes nothing more.'),
  BATCHWRIGHT_ALLOWED_HOSTS: hostNames()
    .default([])
    .describe('Names beside loopback and its address that the service answers to.'),
  BATCHWRIGHT_ALLOWED_ORIGINS: origins()
    .default([])
    .describe('Origins beside its own whose pages may call the service.'),
  BATCHWRIGHT_CALLS_PER_MINUTE: whole(0, 1_000_000_000)
    .default(3_000)
    .describe('What one tenant may call in a minute; 0: no limit.'),
  BATCHWRIGHT_WRONG_KEYS_PER_MINUTE: whole(1, 1_000_000_000)
    .default(30)
    .describe('Wrong keys from one address in a minute, before it has to wait.'),
  BATCHWRIGHT_UPLOADS_AT_ONCE: whole(1, 10_000)
    .default(16)
    .describe('Uploads of one tenant at once.'),
  BATCHWRIGHT_MAX_UPLOAD_BYTES: whole(1, Number.MAX_SAFE_INTEGER)
    .default(1_000_000_000_000)
    .describe('A longer upload is refused; counted as it is stored, decompressed.'),
  BATCHWRIGHT_UPLOAD_IDLE_MS: whole(100, 3_600_000)
    .default(30_000)
    .describe('An upload that is silent for so long is given up; none is for its duration.'),
  BATCHWRIGHT_DRAIN_MS: whole(0, 15_000)
    .default(0)
    .describe('After SIGTERM the service listens on for so long, and says that it is not ready.'),
  BATCHWRIGHT_TENANT_QUOTA_BYTES: whole(1, Number.MAX_SAFE_INTEGER)
    .optional()
    .describe('What the uploads of one tenant may occupy; default: no limit.'),
  BATCHWRIGHT_WEBHOOK_SECRET: webhookSecrets()
    .optional()
    .describe('Signs the webhooks sent to callback URLs; two, with a space between, to change it.'),
  BATCHWRIGHT_URL: baseUrl()
    .optional()
    .describe('The service that the client commands talk to; default: the data directory.'),
  BATCHWRIGHT_API_KEY: secretWord()
    .optional()
    .describe('The key of that service, from `batchwright keys create`.'),
  BATCHWRIGHT_PROVIDER: text()
    .optional()
    .describe('The provider profile (limits and quirks); default: by the base URL’s host.'),
  BATCHWRIGHT_COMPLETION_WINDOW: text().optional().describe('Default: the profile’s.'),
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
export type SettingName = keyof Settings;

/** Settings that are never shown, and whose value may stand in a file that `<NAME>_FILE` names. */
export const SECRETS = [
  'OPENAI_API_KEY',
  'OPENAI_WEBHOOK_SECRET',
  'REDIS_URL',
  'BATCHWRIGHT_WEBHOOK_SECRET',
  'BATCHWRIGHT_API_KEY',
] as const satisfies readonly SettingName[];

/** Names that look like settings and are read elsewhere: by docker-compose.yml and by the tests. */
export const READ_ELSEWHERE: ReadonlySet<string> = new Set([
  'BATCHWRIGHT_FILES',
  'BATCHWRIGHT_LONG',
]);
