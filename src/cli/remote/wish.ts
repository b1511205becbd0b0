/** `pause` and `resume` against a service. */

import { job as jobSchema } from '../../http/contract/job-shapes.ts';
import { pauseJob, resumeJob } from '../../http/contract/jobs.ts';
import type { Terminal } from '../terminal.ts';
import type { ServiceClient } from './client.ts';
import { findJob } from './find-job.ts';

const ROUTES = { pause: pauseJob, resume: resumeJob } as const;

/** Says how the job stands after the wish. */
export async function remoteWish(
  text: string,
  wish: 'pause' | 'resume',
  service: ServiceClient,
  terminal: Terminal,
): Promise<void> {
  const { id } = await findJob(text, service);
  const job = await service.call(ROUTES[wish], jobSchema, { params: { job: id } });
  terminal.data(`${job.id}  ${job.status}`);
  if (wish === 'resume') terminal.say(`  ${terminal.command('watch', job.id)}`);
}
