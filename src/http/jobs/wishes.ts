/** What may be done to a job: cancel, pause, resume, delete. */

import type { JobState } from '../../domain/job.ts';
import type { Desk } from '../../service/desk.ts';
import type { JobReports } from '../../service/job-reports.ts';
import type { Mounted } from '../call.ts';
import { mount } from '../call.ts';
import { cancelJob, pauseJob, removeJob, resumeJob } from '../contract/jobs.ts';
import { jobBody } from './job-body.ts';

type WishName = 'cancel' | 'pause' | 'resume';

export function wishRoutes(reports: JobReports): Mounted[] {
  const wished = async (desk: Desk, state: JobState, wish: WishName) => {
    const report = await reports.report(await desk[wish](state));
    return { status: 200, json: jobBody(report) };
  };
  return [
    mount(cancelJob, async ({ desk, param }) =>
      wished(desk, await desk.job(param('job')), 'cancel'),
    ),
    mount(pauseJob, async ({ desk, param }) => wished(desk, await desk.job(param('job')), 'pause')),
    mount(resumeJob, async ({ desk, param }) =>
      wished(desk, await desk.job(param('job')), 'resume'),
    ),
    mount(removeJob, async ({ desk, param }) => {
      const state = await desk.job(param('job'));
      await desk.remove(state);
      return { status: 200, json: { object: 'job', id: state.spec.id, deleted: true } };
    }),
  ];
}
