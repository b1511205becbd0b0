/** `batchwright cancel`: cancels, and stays until what was paid is home. */

import type { Command } from 'commander';
import type { Config } from '../../config/load.ts';
import { openHouse, providerIdentity } from '../compose.ts';
import { Refusal } from '../domain/errors.ts';
import type { JobState } from '../domain/job.ts';
import { isTerminal, jobStatus } from '../domain/job.ts';
import { conclude } from './conclude.ts';
import type { Finish } from './exit.ts';
import { followJob } from './follow.ts';
import { noticesTo } from './notices.ts';
import { remoteCancel } from './remote/cancel.ts';
import type { ServiceFlags } from './remote/service.ts';
import { serviceOf, withServiceFlags } from './remote/service.ts';
import { terminalOf, withStore } from './settings.ts';

export function addCancel(program: Command, finish: Finish): void {
  const command = program
    .command('cancel')
    .description('cancel a job; answers that are paid already are kept')
    .argument('<job>');
  withServiceFlags(command).action(async (text: string, flags: ServiceFlags) => {
    const terminal = terminalOf(flags);
    const service = serviceOf(flags);
    if (service !== null) return finish(await remoteCancel(text, service, terminal));
    await withStore(flags, async (store, config) => {
      const found = await store.jobs.find(text);
      const { id } = found.spec;
      if (isTerminal(found)) {
        terminal.say(`${id} is over already: ${jobStatus(found)}.`);
        finish(await conclude(found, store, null, terminal));
        return;
      }
      requireItsProvider(found, config);
      await store.jobs.cancel(id);
      const again = terminal.command('cancel', id);
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

/** No worker of this process would touch a job of another provider: it would wait for ever. */
function requireItsProvider({ spec }: JobState, config: Config): void {
  const here = providerIdentity(config);
  const { baseUrl, organization, project } = spec.provider;
  const isIts =
    here.baseUrl === baseUrl && here.organization === organization && here.project === project;
  if (isIts) return;
  const settings = [
    `OPENAI_BASE_URL=${baseUrl}`,
    `OPENAI_ORG_ID=${organization ?? ''}`,
    `OPENAI_PROJECT_ID=${project ?? ''}`,
  ];
  throw new Refusal(
    'configuration',
    `${spec.id} belongs to another provider or account. Set, and cancel again:\n` +
      settings.map((setting) => `  ${setting}`).join('\n'),
  );
}
