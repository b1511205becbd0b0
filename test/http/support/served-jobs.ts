/** Routes of jobs over a real store, on a real port: what a test mounts is what it gets. */

import type { RequestHandler } from 'express';
import { onTestFinished } from 'vitest';
import type { TenantId } from '../../../src/domain/ids.ts';
import type { Clock } from '../../../src/ports/clock.ts';
import { createApp } from '../../../src/http/app.ts';
import type { Mounted } from '../../../src/http/call.ts';
import { listen } from '../../../src/http/server.ts';
import { Alerts } from '../../../src/service/alerts.ts';
import { Desk } from '../../../src/service/desk.ts';
import { JobReports } from '../../../src/service/job-reports.ts';
import { Jobs } from '../../../src/service/jobs.ts';
import type { Workshop } from '../../service/support/stored-job.ts';

/** Everything that a test's routes may be made from. */
export type Served = Workshop & { readonly reports: JobReports };

/** A workshop with what looks at jobs, without Redis. */
export function withReports(house: Workshop): Served {
  const alerts = new Alerts(house.blobs, house.journal, house.clock);
  return { ...house, reports: new JobReports({ ...house, alerts, board: null }) };
}

/** Serves these routes to tenants that say who they are as their bearer. */
export async function serveJobs(house: Served, mounted: readonly Mounted[]) {
  const broken: unknown[] = [];
  const draining = new AbortController();
  const pass: RequestHandler = (_request, _response, next) => next();
  const { blobs, views, journal, ids, clock } = house;
  const jobs = new Jobs(blobs, journal, views, ids, clock);
  const app = createApp({
    mounted,
    before: [],
    authenticate: ({ headers }) => {
      const tenant = (headers.authorization ?? 'Bearer local').slice('Bearer '.length);
      return Promise.resolve({ tenant: tenant as TenantId, role: 'tenant' });
    },
    limit: pass,
    desk: (tenant) => new Desk(tenant, { blobs, views, jobs, rules: RULES, ring: async () => {} }),
    pages: [],
    draining: draining.signal,
    onError: (error) => broken.push(error),
  });
  const server = await listen(app, { host: '127.0.0.1', port: 0 });
  onTestFinished(() => server.close(0));
  const url = `http://127.0.0.1:${server.port}`;
  return { url, port: server.port, broken, drain: () => draining.abort() };
}

/** A clock by which a second takes a moment, and more takes until `wake` is called. */
export function quickClock(clock: Clock): Clock & { wake: () => void } {
  let long = Promise.withResolvers<void>();
  return {
    ...clock,
    wake: () => {
      const { resolve } = long;
      long = Promise.withResolvers<void>();
      resolve();
    },
    sleep: async (ms, signal) => {
      if (ms <= 1_000) return clock.sleep(2, signal);
      const aborted = new Promise<void>((resolve) => {
        signal?.addEventListener('abort', () => resolve(), { once: true });
        if (signal?.aborted === true) resolve();
      });
      return Promise.race([long.promise, aborted]);
    },
  };
}

/** Nothing is submitted here. */
const RULES = {
  profile: 'test',
  limits: { maxRequests: 1, maxBytes: 1, maxInputs: 1, maxLineBytes: 1 },
  defaults: { maxRequests: 1, maxBytes: 1 },
  provider: { baseUrl: 'http://127.0.0.1:9', organization: null, project: null },
  completionWindow: '24h',
};
