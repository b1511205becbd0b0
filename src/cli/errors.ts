/** `batchwright errors`: what failed, grouped, with what to type next. */

import type { Command } from 'commander';
import type { Store } from '../compose.ts';
import type { FailureGroup } from '../service/results.ts';
import { failureJson, failureLine, sayGroups } from './failures.ts';
import { findFinished } from './finished.ts';
import type { Finished } from './finished.ts';
import { remoteErrors } from './remote/errors.ts';
import type { ServiceFlags } from './remote/service.ts';
import { serviceOf, withServiceFlags } from './remote/service.ts';
import { terminalOf, withStore } from './settings.ts';
import type { Terminal } from './terminal.ts';
import { plural } from './terminal.ts';

interface ErrorsFlags extends ServiceFlags {
  readonly lines?: boolean;
}

const SAMPLES = 3;

export function addErrors(program: Command): void {
  const command = program
    .command('errors')
    .description('what failed, grouped by class, with what to type next')
    .argument('<job|result>', 'a job, or a result file')
    .option('--lines', 'every failed line instead of groups');
  withServiceFlags(command).action(async (text: string, flags: ErrorsFlags) => {
    const terminal = terminalOf(flags);
    const service = serviceOf(flags);
    if (service !== null) return remoteErrors(text, flags.lines ?? false, service, terminal);
    await withStore(flags, async (store) => {
      const finished = await findFinished(text, store);
      if (flags.lines === true) return sayLines(finished, store, terminal);
      const { groups, failed } = await groupsOf(finished, store);
      if (terminal.json) {
        for (const group of groups) terminal.data(JSON.stringify(group));
      } else if (failed === 0) {
        terminal.say('No line failed.');
      } else {
        sayGroups(groups, (group) => next(group, finished, terminal), terminal);
        terminal.say(`${plural(failed, 'failed line')} in all.`);
      }
    });
  });
}

function groupsOf({ resultPath }: Finished, store: Store) {
  return store.engines.run('groupFailures', { resultPath, runsPath: null, samples: SAMPLES });
}

/** A command to paste: take the failed requests out to run them again, or look at the lines. */
function next(group: FailureGroup, { name, job }: Finished, terminal: Terminal): string {
  return group.retryable && job !== null
    ? terminal.command('result', name, '--requests', '-o', 'again.jsonl')
    : terminal.command('errors', name, '--lines');
}

function sayLines({ resultPath }: Finished, store: Store, terminal: Terminal): void {
  for (const failure of store.results.failures(resultPath)) {
    terminal.data(terminal.json ? failureJson(failure) : failureLine(failure));
  }
}
