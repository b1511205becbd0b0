/** `batchwright retry`: a new job of a service from the failed requests of another. */

import type { Command } from 'commander';
import { Option } from 'commander';
import { job as jobSchema } from '../http/contract/job-shapes.ts';
import { retryJob } from '../http/contract/jobs.ts';
import { findJob } from './remote/find-job.ts';
import type { ServiceFlags } from './remote/service.ts';
import { requireService, withServiceFlags } from './remote/service.ts';
import { terminalOf } from './settings.ts';

interface RetryFlags extends ServiceFlags {
  readonly class?: readonly string[];
  readonly all?: boolean;
}

export function addRetry(program: Command): void {
  const command = program
    .command('retry')
    .description('send the failed requests of a job again, as a job of their own; prints its id')
    .argument('<job>', 'its id, or the beginning of it')
    .addOption(
      new Option('--class <classes>', 'classes of `errors`, with commas between; else all that may')
        .argParser((text: string) => text.split(',').filter((name) => name !== ''))
        .conflicts('all'),
    )
    .option('--all', 'also those that will hardly succeed');
  withServiceFlags(command).action(async (text: string, flags: RetryFlags) => {
    const terminal = terminalOf(flags);
    const take = `batchwright result ${text} --requests -o again.jsonl`;
    const service = requireService(flags, `Without one, take them out and run them: ${take}`);
    const { id } = await findJob(text, service);
    const json = { ...(flags.class && { classes: flags.class }), ...(flags.all && { all: true }) };
    const made = await service.call(retryJob, jobSchema, { params: { job: id }, json });
    terminal.data(terminal.json ? JSON.stringify(made) : made.id);
    terminal.say(`The failed requests of ${id} go again:`);
    terminal.say(`  ${terminal.command('watch', made.id)}`);
  });
}
