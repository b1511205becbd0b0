/** `POST /v1/jobs/{job}/retry`: the failed requests of a job, asked again as a job of their own. */

import { join } from 'node:path';
import type { JobState, JobTerms, PlanReference } from '../../domain/job.ts';
import type { Order } from '../../service/desk.ts';
import type { JobReports } from '../../service/job-reports.ts';
import type { RequestSets } from '../../service/request-sets.ts';
import type { ResultViews, WantedFailures } from '../../service/result-views.ts';
import type { Mounted } from '../call.ts';
import { mount } from '../call.ts';
import { retryJob } from '../contract/jobs.ts';
import type { WithRoom } from '../make-job.ts';
import { whereRoomIs } from '../make-job.ts';
import { Problem } from '../problem.ts';
import type { ScanTurns } from '../scan-turns.ts';
import { jobBody } from './job-body.ts';

export interface RetryParts {
  readonly reports: JobReports;
  readonly results: ResultViews;
  readonly sets: RequestSets;
  readonly scans: ScanTurns;
  /** Throws a Problem where no job can be taken now. */
  readonly requireReady: () => Promise<void>;
  readonly withRoom: WithRoom;
}

export function retryRoutes(parts: RetryParts): Mounted[] {
  const { reports, results, sets, scans } = parts;
  return [
    mount(retryJob, async (call) => {
      const { desk, param, json } = call;
      const state = await desk.job(param('job'));
      const wanted = wantedBy(json?.classes, json?.all);
      await parts.requireReady();
      return sets.inFolder(async (folder) => {
        const path = join(folder, 'requests.jsonl');
        const { requests, sizeBytes } = await scans.within(call, () =>
          results.writeFailedRequests(state, wanted, path),
        );
        if (requests === 0 || !('plan' in state)) throw nothingToRetry(state);
        const job = sets.newJob();
        const order = { ...orderLike(state, wanted), job };
        const room = { ...order, sizeBytes, withRoom: parts.withRoom };
        const submitted = await whereRoomIs(desk, room, async () => {
          const source = await sets.keep(job, path, sizeBytes);
          return desk.submit({ ...order, source });
        });
        // The same retry is there already: asking twice is not paid twice.
        if (submitted.attached) await sets.drop(job);
        const report = await reports.report(await desk.job(submitted.job));
        const headers = { location: `/v1/jobs/${submitted.job}` };
        return { status: 202, json: jobBody(report), headers };
      });
    }),
  ];
}

function wantedBy(
  classes: readonly string[] | undefined,
  all: boolean | undefined,
): WantedFailures {
  if (classes === undefined) return all === true ? 'all' : 'retryable';
  if (all !== true) return [...new Set(classes)].toSorted();
  const message = 'Ask for some classes or for all failed requests, not for both.';
  throw new Problem({ status: 400, code: 'invalid_value', message, param: 'all' });
}

/** What the job wished, for its failed requests. */
function orderLike(
  state: JobState & { plan: PlanReference },
  wanted: WantedFailures,
): Omit<Order, 'job' | 'source'> {
  const { spec, options, plan } = state;
  const terms: Omit<JobTerms, 'tenant'> = {
    metadata: spec.terms?.metadata ?? {},
    callbackUrl: spec.terms?.callbackUrl ?? null,
    inputFile: null,
    outputExpiresAfterSeconds: null,
    retryOf: spec.id,
  };
  return {
    name: `retry of ${spec.name}`,
    defaults: { endpoint: plan.endpoint, model: null },
    limits: { maxRequests: spec.limits.maxRequests, maxBytes: spec.limits.maxBytes },
    onInvalid: 'fail',
    options,
    terms,
    // No client's key holds a space.
    idempotencyKey: `retry ${spec.id} ${JSON.stringify(wanted)}`,
  };
}

function nothingToRetry({ spec }: JobState): Problem {
  const message =
    `No failed request of ${spec.id} is of that kind: /v1/jobs/${spec.id}/errors shows the ` +
    'classes that there are, and {"all":true} asks for every one that was sent.';
  return new Problem({ status: 409, code: 'nothing_to_retry', message });
}
