/** Looking at jobs: one, a page of them, the chunks of one. */

import { parseChunkId, parseJobId } from '../../domain/ids.ts';
import type { JobStatus } from '../../domain/job.ts';
import type { JobReports } from '../../service/job-reports.ts';
import type { Mounted } from '../call.ts';
import { mount } from '../call.ts';
import { jobStatuses } from '../contract/job-shapes.ts';
import { getJob, listChunks, listJobs } from '../contract/jobs.ts';
import { Problem } from '../problem.ts';
import { chunkBody, jobBody } from './job-body.ts';

const DEFAULT_JOBS = 20;
const DEFAULT_CHUNKS = 100;

export function lookRoutes(reports: JobReports): Mounted[] {
  return [
    mount(getJob, async ({ desk, param }) => {
      const report = await reports.report(await desk.job(param('job')));
      return { status: 200, json: jobBody(report) };
    }),
    mount(listJobs, async ({ desk, query }) => {
      const statuses = query.status === undefined ? null : statusesIn(query.status);
      const page = await desk.list({
        after: cursor(query.after, parseJobId),
        limit: query.limit ?? DEFAULT_JOBS,
        order: 'newest',
        statuses,
      });
      const data = [];
      for (const state of page.jobs) data.push(jobBody(await reports.report(state)));
      const next = page.hasMore ? (data.at(-1)?.id ?? null) : null;
      return { status: 200, json: { object: 'list', data, has_more: page.hasMore, next } };
    }),
    mount(listChunks, async ({ desk, param, query }) => {
      const page = await reports.chunks(await desk.job(param('job')), {
        after: cursor(query.after, parseChunkId),
        limit: query.limit ?? DEFAULT_CHUNKS,
      });
      const data = page.chunks.map(chunkBody);
      const next = page.hasMore ? (data.at(-1)?.id ?? null) : null;
      return { status: 200, json: { object: 'list', data, has_more: page.hasMore, next } };
    }),
  ];
}

function statusesIn(text: string): ReadonlySet<JobStatus> {
  const parsed = jobStatuses.array().safeParse(text.split(','));
  if (parsed.success) return new Set(parsed.data);
  const message = `Each status must be one of ${jobStatuses.options.join(', ')}.`;
  throw new Problem({ status: 400, code: 'invalid_value', message, param: 'status' });
}

/** A cursor of ours; what never was one is refused. */
function cursor<Id extends string>(
  text: string | undefined,
  parse: (text: string) => Id | null,
): Id | null {
  if (text === undefined) return null;
  const id = parse(text);
  if (id !== null) return id;
  const message = 'The cursor is none of this list: take the `next` of its last page.';
  throw new Problem({ status: 400, code: 'invalid_value', message, param: 'after' });
}
