/** What operators see of a service: its health, its numbers, its queues, its log. */

import type { RequestHandler } from 'express';
import type { Config } from '../../config/load.ts';
import { isLoopback } from '../../config/providers.ts';
import type { House, Store } from '../compose.ts';
import type { Health } from './health.ts';
import { checkHealth, recently } from './health.ts';
import type { AppParts } from '../http/app.ts';
import type { Mounted } from '../http/call.ts';
import { getQueues } from '../http/contract/operations.ts';
import { Problem } from '../http/problem.ts';
import { healthRoutes } from '../http/operations/health.ts';
import { errorLog, requestLog } from '../http/request-log.ts';
import { openMetrics } from './observation.ts';
import type { Log } from '../ports/log.ts';
import { QUEUES_PATH } from './shared-state.ts';
import { PROGRAM_VERSION } from '../version.ts';

/** Balancers ask every second or so, each of them. */
const HEALTH_KEPT_MS = 1_000;

const RETRY_AFTER_SECONDS = '15';

export interface Operations extends Pick<AppParts, 'pages' | 'onError'> {
  /** Names and logs every request: to stand in front of all. */
  readonly requestLog: RequestHandler;
  readonly routes: readonly Mounted[];
  /** Throws a Problem of 503 where Redis takes nothing now, or the service is to end. */
  readonly requireQueue: () => Promise<void>;
}

export interface OperationsParts {
  readonly config: Config;
  readonly store: Store;
  readonly house: House;
  readonly log: Log;
  /** Aborted when the service was asked to end. */
  readonly draining: AbortSignal;
}

export function openOperations(parts: OperationsParts): Operations {
  const { store, house, log, draining, config } = parts;
  const metrics = openMetrics(store, house);
  const routes = healthRoutes({
    version: PROGRAM_VERSION,
    check: recently(healthOf(parts), store.clock, HEALTH_KEPT_MS),
    draining,
    showsDetails: isLoopback(urlOf(config)),
    metrics,
  });
  return {
    requestLog: requestLog({ log, metrics, nonce: () => store.ids.nonce() }),
    routes,
    pages: [{ path: QUEUES_PATH, access: getQueues.access, handler: queuesPage(house) }],
    onError: errorLog(log),
    requireQueue: async () => {
      if (draining.aborted) throw leaving();
      try {
        await house.proveQueue();
      } catch (error) {
        if (!house.redis.hear(error)) throw error;
        const message = `${(error as Error).message} Nothing was kept of this call; try it again.`;
        const headers = { 'retry-after': RETRY_AFTER_SECONDS };
        throw new Problem({ status: 503, code: 'queue_unavailable', message, headers });
      }
    },
  };
}

function leaving(): Problem {
  const message = 'This process is about to end; nothing was kept of the call. Try it again.';
  const headers = { 'retry-after': '1', connection: 'close' };
  return new Problem({ status: 503, code: 'draining', message, headers });
}

/** A look at the health; the log hears when what is wrong changes. */
function healthOf({ config, store, house, log }: OperationsParts): () => Promise<Health> {
  let known = '';
  return async () => {
    const health = await checkHealth({
      redis: house.redis,
      blobs: store.blobs,
      freeBytes: () => store.scratch.freeBytes(),
      minFreeBytes: config.BATCHWRIGHT_MIN_FREE_BYTES,
      nonce: () => store.ids.nonce(),
    });
    const problems = health.findings.flatMap(({ name, problem }) =>
      problem === null ? [] : [`${name}: ${problem}`],
    );
    const wrong = problems.join(' ');
    if (wrong !== known && wrong !== '') log.warn('not ready', { problems: wrong });
    if (wrong !== known && wrong === '') log.info('ready again');
    known = wrong;
    return health;
  };
}

function urlOf({ BATCHWRIGHT_HOST: host }: Config): string {
  return `http://${host.includes(':') ? `[${host}]` : host}`;
}

/** The page names its own base; but for that it may as little as ours. */
const PAGE_POLICY = [
  "default-src 'self'",
  "base-uri 'self'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "object-src 'none'",
].join(';');

/** Reading is all that the page is for, whatever it may offer. */
function queuesPage({ queuesPage: page }: House): RequestHandler {
  return (request, response, next) => {
    if (request.method === 'GET' || request.method === 'HEAD') {
      response.setHeader('content-security-policy', PAGE_POLICY);
      page.handle(request, response, next);
      return;
    }
    const message = 'The queues are only to be looked at.';
    const headers = { allow: 'GET, HEAD' };
    next(new Problem({ status: 405, code: 'method_not_allowed', message, headers }));
  };
}
