/** `batchwright list`: the jobs of a data directory, or of a service. */

import type { Command } from 'commander';
import type { JobState } from '../domain/job.ts';
import { jobStatus } from '../domain/job.ts';
import type { ServiceFlags } from './remote/service.ts';
import { serviceOf, withServiceFlags } from './remote/service.ts';
import { remoteList } from './remote/status.ts';
import { terminalOf, withStore } from './settings.ts';
import { grouped, plural } from './terminal.ts';

export function addList(program: Command): void {
  const command = program
    .command('list')
    .description('the jobs of the data directory, or of a service');
  withServiceFlags(command).action(async (flags: ServiceFlags) => {
    const service = serviceOf(flags);
    if (service !== null) return remoteList(service, terminalOf(flags));
    await withStore(flags, async (store, config) => {
      const terminal = terminalOf(flags);
      const states = await store.jobs.list();
      if (states.length === 0) terminal.say(`No jobs in ${config.dataDir}.`);
      for (const state of states) {
        const alerts = (await store.alerts.current(state)).length;
        terminal.data(flags.json ? asJson(state, alerts) : asLine(state, alerts));
      }
    });
  });
}

function asLine(state: JobState, alerts: number): string {
  const { id, name, createdAtMs } = state.spec;
  const made = new Date(createdAtMs).toISOString().slice(0, 19).replace('T', ' ');
  const requests = 'plan' in state ? grouped(state.plan.counts.requests) : '–';
  const mark = alerts > 0 ? `  ▲ ${plural(alerts, 'alert')}` : '';
  return `${id}  ${made}  ${jobStatus(state).padEnd(21)}  ${requests.padStart(10)}  ${name}${mark}`;
}

function asJson(state: JobState, alerts: number): string {
  const { id, name, createdAtMs } = state.spec;
  return JSON.stringify({
    job: id,
    status: jobStatus(state),
    name,
    created_at_ms: createdAtMs,
    requests: 'plan' in state ? state.plan.counts.requests : null,
    alerts,
  });
}
