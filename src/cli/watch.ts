/** `batchwright watch`: shows how a job goes, until it is over; never touches it. */

import type { Command } from 'commander';
import type { Store } from '../compose.ts';
import { Refusal } from '../domain/errors.ts';
import type { Alert } from '../domain/alert.ts';
import type { JobId } from '../domain/ids.ts';
import type { JobReport } from '../service/job-reports.ts';
import { JobReports } from '../service/job-reports.ts';
import { conclude } from './conclude.ts';
import type { ExitCode, Finish } from './exit.ts';
import { EXIT } from './exit.ts';
import { listenForLeaving } from './leaving.ts';
import { reportProgress } from './progress.ts';
import { ProgressShow } from './progress-show.ts';
import type { ServiceFlags } from './remote/service.ts';
import { serviceOf, withServiceFlags } from './remote/service.ts';
import { remoteWatch } from './remote/watch.ts';
import { terminalOf, withStore } from './settings.ts';
import type { Terminal } from './terminal.ts';

/** Between two looks at the journal. */
const LOOK_MS = 500;

export function addWatch(program: Command, finish: Finish): void {
  const command = program
    .command('watch')
    .description('show how a job goes, until it is over')
    .argument('<job>', 'its id, or the beginning of it');
  withServiceFlags(command).action(async (text: string, flags: ServiceFlags) => {
    const terminal = terminalOf(flags);
    const service = serviceOf(flags);
    if (service !== null) return finish(await remoteWatch(text, service, terminal));
    await withStore(flags, async (store) => {
      const { id } = (await store.jobs.find(text)).spec;
      finish(await watch(id, store, terminal));
    });
  });
}

/** Follows what other processes do with the job, by its journal alone. */
async function watch(id: JobId, store: Store, terminal: Terminal): Promise<ExitCode> {
  const leaving = listenForLeaving(terminal, null);
  const reports = new JobReports({ ...store, board: null });
  const show = new ProgressShow(terminal);
  const told = new Set<string>();
  try {
    for (;;) {
      const state = await store.views.job(id);
      if (state === null) throw new Refusal('unknown_job', `${id} was pruned meanwhile.`);
      const report = await reports.report(state);
      if (report.finishedAtMs !== null) return await conclude(state, store, null, terminal);
      if (leaving.signal.aborted) return sayDetached(id, terminal);
      sayNews(report, told, terminal);
      if (report.counts.total > 0) {
        show.show(reportProgress(report.counts, report.phases, report.reasons));
      }
      await store.clock.sleep(LOOK_MS, leaving.signal);
    }
  } finally {
    leaving.done();
  }
}

/** Each alert and each hold once. */
function sayNews({ state, alerts }: JobReport, told: Set<string>, terminal: Terminal): void {
  for (const alert of alerts) {
    if (isNew(keyOf(alert), told))
      terminal.warn(`${red(terminal)} ${alert.code}: ${alert.message}`);
  }
  const { intent } = state;
  if (intent.kind === 'hold' && isNew(`hold ${intent.revision}`, told)) {
    terminal.warn(`${red(terminal)} paused: ${intent.message}`);
  }
}

function sayDetached(id: JobId, terminal: Terminal): ExitCode {
  terminal.event('detached', {});
  terminal.warn(`Detached: nothing was cancelled.\n  ${terminal.command('watch', id)}`);
  return EXIT.detached;
}

function keyOf({ code, chunk, atMs }: Alert): string {
  return `${code} ${chunk ?? ''} ${atMs}`;
}

function isNew(key: string, told: Set<string>): boolean {
  if (told.has(key)) return false;
  told.add(key);
  return true;
}

function red(terminal: Terminal): string {
  return terminal.style('red', '▲');
}
