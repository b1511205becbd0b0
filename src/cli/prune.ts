/** `batchwright prune`: removes what is over from the data directory. */

import type { Command } from 'commander';
import { Refusal } from '../domain/errors.ts';
import { parseJobId } from '../domain/ids.ts';
import type { JobState } from '../domain/job.ts';
import { isTerminal } from '../domain/job.ts';
import type { Store } from '../compose.ts';
import { OPEN_FOLDER, openName, SOURCES_FOLDER } from '../stages/names.ts';
import type { CommonFlags } from './settings.ts';
import { terminalOf, wholeOption, withCommonFlags, withStore } from './settings.ts';
import { plural } from './terminal.ts';

interface PruneFlags extends CommonFlags {
  readonly olderThanDays?: number;
  readonly dryRun?: boolean;
}

const DAY_MS = 86_400_000;

export function addPrune(program: Command): void {
  const command = program
    .command('prune')
    .description('remove jobs that are over, with their answers, from the data directory')
    .argument('[job...]', 'these; else all that are over and old enough')
    .addOption(wholeOption('--older-than-days <n>', 'without job ids: the age', 0, 36_500))
    .option('--dry-run', 'only say what would go');
  withCommonFlags(command).action(async (texts: string[], flags: PruneFlags) => {
    const terminal = terminalOf(flags);
    await withStore(flags, async (store) => {
      const states = await chosen(store, texts, flags);
      for (const state of states) {
        if (flags.dryRun !== true) await store.jobs.remove(state);
        terminal.data(flags.json ? JSON.stringify({ job: state.spec.id }) : state.spec.id);
      }
      if (flags.dryRun !== true) await removeLeftovers(store);
      const verb = flags.dryRun === true ? 'would be removed' : 'removed';
      terminal.say(`${plural(states.length, 'job')} ${verb}.`);
    });
  });
}

async function chosen(store: Store, texts: string[], flags: PruneFlags): Promise<JobState[]> {
  if (texts.length > 0) return Promise.all(texts.map((text) => store.jobs.find(text)));
  if (flags.olderThanDays === undefined) {
    throw new Refusal('configuration', 'Name the jobs, or say --older-than-days 30.');
  }
  const before = Date.now() - flags.olderThanDays * DAY_MS;
  const over = (await store.jobs.list()).filter(isTerminal);
  const states = [...over, ...(await store.jobs.stillborn())];
  return states.filter((state) => state.spec.createdAtMs <= before);
}

/**
 * Unfinished writes of dead processes, marks of jobs that are over, and piped input that no job
 * came to use.
 */
async function removeLeftovers(store: Store): Promise<void> {
  await store.blobs.removeAbandoned();
  await store.scratch.removeAbandoned();
  for (const name of await store.blobs.list(OPEN_FOLDER)) {
    const id = parseJobId(name);
    const state = id === null ? null : await store.views.job(id);
    if (state !== null && isTerminal(state)) await store.blobs.delete(openName(state.spec.id));
  }
  for (const name of await store.blobs.list(SOURCES_FOLDER)) {
    const path = `${SOURCES_FOLDER}/${name}`;
    const head = await store.blobs.head(path);
    if (head !== null && head.modifiedAtMs < Date.now() - DAY_MS) await store.blobs.delete(path);
  }
}
