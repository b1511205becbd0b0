/** `batchwright pause` and `resume`: whether more of a job is sent. */

import type { Command } from 'commander';
import type { Store } from '../compose.ts';
import { Refusal } from '../domain/errors.ts';
import { isTerminal, jobStatus } from '../domain/job.ts';
import type { ServiceFlags } from './remote/service.ts';
import { serviceOf, withServiceFlags } from './remote/service.ts';
import { remoteWish } from './remote/wish.ts';
import { terminalOf, withStore } from './settings.ts';
import type { Terminal } from './terminal.ts';

type WishName = 'pause' | 'resume';

const DESCRIPTIONS = {
  pause: 'send nothing more of a job; batches that are alive go on',
  resume: 'let a paused job go on',
} as const;

export function addPause(program: Command): void {
  addWish(program, 'pause');
}

export function addResume(program: Command): void {
  addWish(program, 'resume');
}

function addWish(program: Command, wish: WishName): void {
  const command = program
    .command(wish)
    .description(DESCRIPTIONS[wish])
    .argument('<job>', 'its id, or the beginning of it');
  withServiceFlags(command).action(async (text: string, flags: ServiceFlags) => {
    const terminal = terminalOf(flags);
    const service = serviceOf(flags);
    if (service !== null) return remoteWish(text, wish, service, terminal);
    await withStore(flags, (store) => localWish(text, wish, store, terminal));
  });
}

async function localWish(
  text: string,
  wish: WishName,
  store: Store,
  terminal: Terminal,
): Promise<void> {
  const found = await store.jobs.find(text);
  const { id } = found.spec;
  if (isTerminal(found) || found.status === 'merged') {
    throw new Refusal('already_over', `${id} is ${jobStatus(found)}: nothing is to ${wish}.`);
  }
  await store.jobs[wish](id);
  const after = await store.jobs.find(id);
  terminal.data(`${id}  ${jobStatus(after)}`);
  if (wish === 'resume') terminal.say('A worker, a service, or the same `run` goes on with it.');
}
