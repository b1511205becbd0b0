/** The service: the doors of HTTP over one store and one house. */

import type { RequestHandler } from 'express';
import type { Config } from '../config/load.ts';
import type { House, Store } from './compose.ts';
import { limitRules, providerIdentity } from './compose.ts';
import type { TenantId } from './domain/ids.ts';
import { LOCAL_TENANT } from './domain/ids.ts';
import { createApp } from './http/app.ts';
import type { Mounted } from './http/call.ts';
import { takeBody } from './http/intake.ts';
import { lookRoutes } from './http/jobs/look.ts';
import { submitRoutes } from './http/jobs/submit.ts';
import { wishRoutes } from './http/jobs/wishes.ts';
import { Problem } from './http/problem.ts';
import type { Listening } from './http/server.ts';
import { listen } from './http/server.ts';
import { callbackCheck } from './http/webhooks/callback-check.ts';
import { webhookRoutes } from './http/webhooks/openai.ts';
import { Desk } from './service/desk.ts';
import { JobReports } from './service/job-reports.ts';
import { RequestSets } from './service/request-sets.ts';

const HOUR_MS = 60 * 60_000;

/** What the routes are made from. */
export interface ServiceParts {
  readonly config: Config;
  readonly store: Store;
  readonly house: House;
  readonly reports: JobReports;
  readonly sets: RequestSets;
  readonly desk: (tenant: TenantId) => Desk;
}

export interface Service extends Listening {
  readonly url: string;
}

/** Opens the doors. Workers are the caller's to start. */
export async function openService(config: Config, store: Store, house: House): Promise<Service> {
  const parts = partsOf(config, store, house);
  const pass: RequestHandler = (_request, _response, next) => next();
  const app = createApp({
    mounted: routesOf(parts),
    before: [],
    authenticate: () => Promise.resolve({ tenant: LOCAL_TENANT, role: 'tenant' }),
    limit: pass,
    desk: parts.desk,
    pages: [],
    onError: (error) => process.stderr.write(`${String(error)}\n`),
  });
  const { BATCHWRIGHT_HOST: host, BATCHWRIGHT_PORT: port } = config;
  const listening = await listen(app, { host, port });
  const housekeeping = setInterval(() => void tidy(parts).catch(() => undefined), HOUR_MS);
  housekeeping.unref();
  await tidy(parts);
  return {
    ...listening,
    url: `http://${host.includes(':') ? `[${host}]` : host}:${listening.port}`,
    close: async (graceMs) => {
      clearInterval(housekeeping);
      await listening.close(graceMs);
    },
  };
}

function partsOf(config: Config, store: Store, house: House): ServiceParts {
  const { blobs, journal, scratch, engines, ids, clock, views, jobs, alerts } = store;
  const { board } = house.tools;
  const completionWindow =
    config.BATCHWRIGHT_COMPLETION_WINDOW ?? config.profile.completionWindows[0] ?? '24h';
  const rules = { ...limitRules(config), provider: providerIdentity(config), completionWindow };
  const ring: House['queue']['ring'] = (bell, delayMs) => house.queue.ring(bell, delayMs);
  return {
    config,
    store,
    house,
    reports: new JobReports({ views, blobs, journal, alerts, clock, board }),
    sets: new RequestSets({ blobs, engines, scratch, ids, rules }),
    desk: (tenant) => new Desk(tenant, { blobs, views, jobs, rules, ring }),
  };
}

function routesOf(parts: ServiceParts): Mounted[] {
  const { reports, sets, config, store, house } = parts;
  return [
    ...lookRoutes(reports),
    ...wishRoutes(reports),
    ...webhookRoutes(house.webhooks.fromProvider),
    ...submitRoutes({
      reports,
      sets,
      take: ({ request }, folder) =>
        takeBody(request, folder, {
          maxBytes: Number.MAX_SAFE_INTEGER,
          quotaLeftBytes: null,
          maxLineBytes: config.BATCHWRIGHT_MAX_LINE_BYTES,
          minFreeBytes: config.BATCHWRIGHT_MIN_FREE_BYTES,
          freeBytes: () => store.scratch.freeBytes(),
          idleMs: 30_000,
        }),
      uploaded: () => {
        const message = 'There is no such file.';
        throw new Problem({ status: 404, code: 'unknown_file', message });
      },
      requireReady: () => Promise.resolve(),
      checkCallback: callbackCheck(house.webhooks.sender),
    }),
  ];
}

/** What dead submitters left. */
async function tidy({ sets, store }: ServiceParts): Promise<void> {
  await sets.removeUnborn(store.clock.wallMs());
}
