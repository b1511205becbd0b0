/** `cancel` against a service: the wish, and then what becomes of it. */

import { job as jobSchema } from '../../http/contract/job-shapes.ts';
import { cancelJob } from '../../http/contract/jobs.ts';
import type { ExitCode } from '../exit.ts';
import type { Terminal } from '../terminal.ts';
import type { ServiceClient } from './client.ts';
import { isOver, sayEnd } from './end.ts';
import { findJob } from './find-job.ts';
import { remoteWatch } from './watch.ts';

/** Cancels, and stays until what was paid is home. */
export async function remoteCancel(
  text: string,
  service: ServiceClient,
  terminal: Terminal,
): Promise<ExitCode> {
  const job = await findJob(text, service);
  if (isOver(job)) {
    terminal.say(`${job.id} is over already: ${job.status}.`);
    return sayEnd(job, terminal);
  }
  const cancelled = await service.call(cancelJob, jobSchema, { params: { job: job.id } });
  return remoteWatch(cancelled.id, service, terminal);
}
