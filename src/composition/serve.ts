/** The service: the doors of HTTP over one store and one house. */

import type { Config } from '../../config/load.ts';
import type { Admission } from './admission.ts';
import { openAdmission } from './admission.ts';
import type { House, Store } from '../compose.ts';
import { limitRules, providerIdentity } from '../compose.ts';
import type { TenantId } from '../domain/ids.ts';
import { createApp } from '../http/app.ts';
import type { Mounted } from '../http/call.ts';
import { takeBody } from '../http/intake.ts';
import { errorRoutes } from '../http/jobs/errors.ts';
import { eventRoutes } from '../http/jobs/events.ts';
import { lookRoutes } from '../http/jobs/look.ts';
import { resultRoutes } from '../http/jobs/result.ts';
import { retryRoutes } from '../http/jobs/retry.ts';
import { submitRoutes } from '../http/jobs/submit.ts';
import { wishRoutes } from '../http/jobs/wishes.ts';
import { takeForm } from '../http/multipart.ts';
import { batchRoutes } from '../http/openai/batches.ts';
import { fileRoutes } from '../http/openai/files.ts';
import { referenceRoutes } from '../http/operations/reference.ts';
import { Problem } from '../http/problem.ts';
import { ScanTurns } from '../http/scan-turns.ts';
import type { Listening } from '../http/server.ts';
import { listen } from '../http/server.ts';
import { StreamSlots } from '../http/stream-slots.ts';
import { callbackCheck } from '../http/webhooks/callback-check.ts';
import { webhookRoutes } from '../http/webhooks/openai.ts';
import type { Operations } from './operations.ts';
import { openOperations } from './operations.ts';
import type { Log } from '../ports/log.ts';
import { Desk } from '../service/desk.ts';
import { placeOf } from '../service/file-places.ts';
import { JobFeeds } from '../service/job-feeds.ts';
import { JobReports } from '../service/job-reports.ts';
import { JobClock } from '../service/job-times.ts';
import { RequestSets } from '../service/request-sets.ts';
import { ResultViews } from '../service/result-views.ts';
import type { UploadedSource } from '../service/tenant-files.ts';
import { TenantFiles } from '../service/tenant-files.ts';
import { withdrawUnopened } from '../service/unopened.ts';
import { UploadedFiles } from '../service/uploaded-files.ts';
import { PROGRAM_VERSION } from '../version.ts';

const HOUR_MS = 60 * 60_000;

/** Streams of events and of growing results at once. */
const STREAMS_PER_TENANT = 100;
const STREAMS = 1_000;

/** Downloads at once; each reads a block when its client has taken the one before. */
const DOWNLOADS_PER_TENANT = 200;
const DOWNLOADS = 2_000;

/** What the routes are made from. */
export interface ServiceParts {
  readonly config: Config;
  readonly store: Store;
  readonly house: House;
  readonly operations: Operations;
  readonly admission: Admission;
  readonly reports: JobReports;
  readonly results: ResultViews;
  readonly sets: RequestSets;
  readonly scans: ScanTurns;
  readonly downloads: StreamSlots;
  readonly files: TenantFiles;
  readonly jobClock: JobClock;
  readonly desk: (tenant: TenantId) => Desk;
}

export interface Service extends Pick<Listening, 'host' | 'port'> {
  readonly url: string;
  /**
   * Takes no new jobs from now on, and no new connections in `drainMs`: balancers that ask until
   * then send nobody here any more. What still runs after `graceMs` in all is cut.
   */
  close(graceMs: number, drainMs?: number): Promise<void>;
}

/** Opens the doors. Workers are the caller's to start. */
export async function openService(
  config: Config,
  store: Store,
  house: House,
  log: Log,
): Promise<Service> {
  const draining = new AbortController();
  const { signal } = draining;
  const operations = openOperations({ config, store, house, log, draining: signal });
  const admission = await openAdmission(config, store);
  const parts = { ...partsOf(config, store, house, operations), admission };
  const app = createApp({
    mounted: routesOf(parts),
    before: [operations.requestLog, ...admission.guards],
    authenticate: admission.authenticate,
    limit: admission.limit,
    desk: parts.desk,
    pages: operations.pages,
    draining: signal,
    onError: operations.onError,
  });
  const { BATCHWRIGHT_HOST: host, BATCHWRIGHT_PORT: port } = config;
  const listening = await listen(app, { host, port });
  const untidied = (error: unknown): void => {
    if (!signal.aborted) log.warn('not all leftovers went', { reason: (error as Error).message });
  };
  // A start waits for none of it: what cannot be tidied up keeps nobody from being served.
  const housekeeping = setInterval(() => void tidy(parts, untidied), HOUR_MS);
  housekeeping.unref();
  void tidy(parts, untidied);
  return {
    ...listening,
    url: `http://${host.includes(':') ? `[${host}]` : host}:${listening.port}`,
    close: async (graceMs, drainMs = 0) => {
      draining.abort();
      clearInterval(housekeeping);
      if (drainMs > 0) await store.clock.sleep(drainMs);
      await listening.close(graceMs - drainMs);
    },
  };
}

function partsOf(
  config: Config,
  store: Store,
  house: House,
  operations: Operations,
): Omit<ServiceParts, 'admission'> {
  const { blobs, journal, scratch, engines, ids, clock, views, jobs, alerts } = store;
  const { board, notices } = house.tools;
  const completionWindow =
    config.BATCHWRIGHT_COMPLETION_WINDOW ?? config.profile.completionWindows[0] ?? '24h';
  const rules = { ...limitRules(config), provider: providerIdentity(config), completionWindow };
  const results = new ResultViews({ blobs, engines, scratch, views, clock, notices });
  const jobClock = new JobClock(journal);
  const uploaded = new UploadedFiles(blobs, ids, clock);
  const ring: House['queue']['ring'] = (bell, delayMs) => house.queue.ring(bell, delayMs);
  return {
    config,
    store,
    house,
    operations,
    reports: new JobReports({ views, blobs, journal, alerts, clock, board }),
    results,
    files: new TenantFiles({ blobs, clock, uploaded, results, jobClock }),
    jobClock,
    sets: new RequestSets({ blobs, engines, scratch, ids, rules }),
    scans: new ScanTurns(),
    downloads: new StreamSlots(DOWNLOADS_PER_TENANT, DOWNLOADS),
    desk: (tenant) => new Desk(tenant, { blobs, views, jobs, rules, ring }),
  };
}

/** Those of the doors, those of operators, and those that show them all. */
function routesOf(parts: ServiceParts): Mounted[] {
  const mounted = [...doorsOf(parts), ...parts.operations.routes];
  const routes = mounted.map(({ route }) => route);
  return [...mounted, ...referenceRoutes(routes, PROGRAM_VERSION)];
}

function doorsOf(parts: ServiceParts): Mounted[] {
  const { reports, results, sets, scans, downloads, files, jobClock, house, admission } = parts;
  const requireReady = parts.operations.requireQueue;
  const { withRoom } = admission;
  return [
    ...submitRoutes({
      reports,
      sets,
      scans,
      take: ({ request, tenant }, { folder, keeps }, use) =>
        admission.upload({ tenant, keeps }, async (limits) =>
          use(await takeBody(request, folder, limits)),
        ),
      uploaded: (desk, text) => uploadedSource(desk, text, parts),
      requireReady,
      withRoom,
      checkCallback: callbackCheck(house.webhooks.sender, admission.hasKeys),
    }),
    ...lookRoutes(reports),
    ...wishRoutes(reports),
    ...cameOfJobs(parts),
    ...retryRoutes({ reports, results, sets, scans, requireReady, withRoom }),
    ...fileRoutes({
      files,
      downloads,
      inFolder: (work) => sets.inFolder(work),
      takeForm: ({ request, tenant }, { folder, rules }, use) =>
        admission.upload({ tenant, keeps: true }, async (limits) =>
          use(await takeForm(request, folder, limits, rules)),
        ),
    }),
    ...batchRoutes({
      reports,
      results,
      jobClock,
      files,
      newJob: () => sets.newJob(),
      requireReady,
      withRoom,
    }),
    ...webhookRoutes(house.webhooks.fromProvider),
  ];
}

/** What comes of jobs: results, failures, events. */
function cameOfJobs({ reports, results, scans, downloads, store }: ServiceParts): Mounted[] {
  const { journal, clock } = store;
  const slots = new StreamSlots(STREAMS_PER_TENANT, STREAMS);
  const feeds = new JobFeeds({ journal, reports, clock });
  return [
    ...resultRoutes({ results, slots, downloads, scans }),
    ...errorRoutes({ results, scans }),
    ...eventRoutes({ feeds, slots }),
  ];
}

/** An uploaded file as the source of a job. */
async function uploadedSource(
  desk: Desk,
  text: string,
  { files }: ServiceParts,
): Promise<UploadedSource> {
  const source = await files.source(desk, text);
  if (source !== null) return source;
  const kind = placeOf(text)?.kind;
  if (kind !== undefined && kind !== 'uploaded' && (await files.get(desk, text)) !== null) {
    const message = `${text} has the purpose batch_output; name a file that was uploaded.`;
    throw new Problem({ status: 400, code: 'invalid_value', message, param: 'input_file_id' });
  }
  const message = `There is no file ${JSON.stringify(text.slice(0, 60))}: upload it first.`;
  throw new Problem({ status: 404, code: 'unknown_file', message, param: 'input_file_id' });
}

/** What dead submitters left, and files whose time has come. */
async function tidy(
  { sets, files, store }: ServiceParts,
  untidied: (error: unknown) => void,
): Promise<void> {
  const nowMs = store.clock.wallMs();
  await sets.removeUnborn(nowMs).catch(untidied);
  await withdrawUnopened(store, nowMs).catch(untidied);
  await files.removeStale().catch(untidied);
}
