/** A job of the service as people name it: by its id, or by the beginning of it. */

import { Refusal } from '../../domain/errors.ts';
import { parseJobId } from '../../domain/ids.ts';
import type { JobBody } from '../../http/contract/job-shapes.ts';
import { job, jobList } from '../../http/contract/job-shapes.ts';
import { getJob, listJobs } from '../../http/contract/jobs.ts';
import type { ServiceClient } from './client.ts';

const PAGE_JOBS = 100;

/** The beginning of an id is looked for among so many of the newest jobs. */
const MAX_SEARCHED = 2_000;

/** The job as it is now; refuses where the text names none, or more than one. */
export async function findJob(text: string, service: ServiceClient): Promise<JobBody> {
  const id = parseJobId(text) ?? (await complete(text, service));
  return service.call(getJob, job, { params: { job: id } });
}

async function complete(text: string, service: ServiceClient): Promise<string> {
  const found: string[] = [];
  let seen = 0;
  for await (const one of eachJob(service)) {
    if (text.length > 0 && one.id.startsWith(text)) found.push(one.id);
    seen += 1;
    if (seen >= MAX_SEARCHED) break;
  }
  const [first, second] = found;
  if (first === undefined) throw new Refusal('unknown_job', `There is no job ${text}.`);
  if (second === undefined) return first;
  throw new Refusal('ambiguous_job', `${text} fits ${found.length} jobs: write more of the id.`);
}

/** All jobs, the newest first, read page by page. */
export async function* eachJob(service: ServiceClient): AsyncGenerator<JobBody> {
  let after: string | undefined;
  for (;;) {
    const query = { limit: PAGE_JOBS, after };
    const page = await service.call(listJobs, jobList, { query });
    yield* page.data;
    if (!page.has_more || page.next === null) return;
    after = page.next;
  }
}
