/** `batchwright cancel`: cancels, and stays until what was paid is home. */

import type { Command } from 'commander';
import { openHouse } from '../compose.ts';
import { isTerminal, jobStatus } from '../domain/job.ts';
import { conclude } from './conclude.ts';
import type { Finish } from './exit.ts';
import { followJob } from './follow.ts';
import { noticesTo } from './notices.ts';
import type { CommonFlags } from './settings.ts';
import { withCommonFlags, withStore } from './settings.ts';
import { Terminal } from './terminal.ts';

export function addCancel(program: Command, finish: Finish): void {
  const command = program
    .command('cancel')
    .description('cancel a job; answers that are paid already are kept')
    .argument('<job>');
  withCommonFlags(command).action(async (text: string, flags: CommonFlags) => {
    const terminal = new Terminal({ quiet: flags.quiet ?? false, json: flags.json ?? false });
    await withStore(flags, async (store, config) => {
      const found = await store.jobs.find(text);
      const { id } = found.spec;
      if (isTerminal(found)) {
        terminal.say(`${id} is over already: ${jobStatus(found)}.`);
        finish(await conclude(found, store, null, terminal));
        return;
      }
      await store.jobs.cancel(id);
      const again = `batchwright cancel ${id}`;
      const house = await openHouse(config, store, noticesTo(terminal));
      try {
        const confirm = async (): Promise<boolean> => true;
        finish(await followJob(id, { store, house, terminal, outPath: null, again, confirm }));
      } finally {
        await house.close();
      }
    });
  });
}
