/** `batchwright errors`: what failed, grouped, with what to type next. */

import type { Command } from 'commander';
import type { Store } from '../compose.ts';
import type { FailedLine, FailureGroup } from '../service/results.ts';
import { findFinished } from './finished.ts';
import type { Finished } from './finished.ts';
import type { CommonFlags } from './settings.ts';
import { terminalOf, withCommonFlags, withStore } from './settings.ts';
import type { Terminal } from './terminal.ts';
import { grouped, plural } from './terminal.ts';

interface ErrorsFlags extends CommonFlags {
  readonly lines?: boolean;
}

const SAMPLES = 3;

/** Of a provider's sentence, in the table. */
const MESSAGE_CHARACTERS = 100;

export function addErrors(program: Command): void {
  const command = program
    .command('errors')
    .description('what failed, grouped by class, with what to type next')
    .argument('<job|result>', 'a job, or a result file')
    .option('--lines', 'every failed line instead of groups');
  withCommonFlags(command).action(async (text: string, flags: ErrorsFlags) => {
    const terminal = terminalOf(flags);
    await withStore(flags, async (store) => {
      const finished = await findFinished(text, store);
      if (flags.lines === true) return sayLines(finished, store, terminal);
      const { groups, failed } = await groupsOf(finished, store);
      if (terminal.json) {
        for (const group of groups) terminal.data(JSON.stringify(group));
      } else if (failed === 0) {
        terminal.say('No line failed.');
      } else {
        sayGroups(groups, finished, terminal);
        terminal.say(`${plural(failed, 'failed line')} in all.`);
      }
    });
  });
}

function groupsOf({ resultPath }: Finished, store: Store) {
  return store.engines.run('groupFailures', { resultPath, runsPath: null, samples: SAMPLES });
}

function sayGroups(groups: readonly FailureGroup[], finished: Finished, terminal: Terminal): void {
  const width = Math.max(5, ...groups.map((group) => group.class.length));
  terminal.data(` COUNT  ${'CLASS'.padEnd(width)}  RETRY  NEXT`);
  for (const group of groups) {
    const count = grouped(group.count).padStart(6);
    const retry = (group.retryable ? 'yes' : 'no').padEnd(5);
    terminal.data(
      `${count}  ${group.class.padEnd(width)}  ${retry}  ${next(group, finished, terminal)}`,
    );
    const ids = group.sampleIds.join(', ');
    terminal.data(`        ${cut(group.message)}${ids === '' ? '' : `  (${ids})`}`);
  }
}

/** A command to paste: take the failed requests out to run them again, or look at the lines. */
function next(group: FailureGroup, { name, job }: Finished, terminal: Terminal): string {
  return group.retryable && job !== null
    ? terminal.command('result', name, '--requests', '-o', 'again.jsonl')
    : terminal.command('errors', name, '--lines');
}

function sayLines({ resultPath }: Finished, store: Store, terminal: Terminal): void {
  for (const failure of store.results.failures(resultPath)) {
    terminal.data(terminal.json ? asJson(failure) : asLine(failure));
  }
}

function asJson({ line, customId, class: name, retryable, message }: FailedLine): string {
  return JSON.stringify({ line, custom_id: customId, class: name, retryable, message });
}

function asLine({ line, customId, class: name, message }: FailedLine): string {
  return `line ${line}  ${customId ?? '–'}  ${name}  ${message}`;
}

function cut(message: string): string {
  const oneLine = message.replace(/\s+/g, ' ');
  return oneLine.length > MESSAGE_CHARACTERS ? `${oneLine.slice(0, MESSAGE_CHARACTERS)}…` : oneLine;
}
