/** `batchwright result`: a finished result again, whole or in part, to a file or to stdout. */

import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import type { Command } from 'commander';
import { Option } from 'commander';
import { Refusal } from '../domain/errors.ts';
import type { Store } from '../compose.ts';
import { deliver } from './deliver.ts';
import type { Finish } from './exit.ts';
import type { Finished } from './finished.ts';
import { findFinished } from './finished.ts';
import { findOutputPath } from './output-path.ts';
import type { ResultWish } from './remote/result.ts';
import { remoteResult } from './remote/result.ts';
import type { ServiceFlags } from './remote/service.ts';
import { serviceOf, withServiceFlags } from './remote/service.ts';
import { terminalOf, withStore } from './settings.ts';
import { toFile, toStdout } from './write-out.ts';

interface ResultFlags extends ServiceFlags, ResultWish {
  readonly output?: string;
  readonly requests?: boolean;
}

/** Options that choose lines of a finished result. */
const SELECTING = ['ok', 'failed', 'requests'];

export function addResult(program: Command, finish: Finish): void {
  const command = program
    .command('result')
    .description('the result of a job, whole or in part')
    .argument('<job|result>', 'a job, or a result file')
    .option('-o, --output <file>', 'where it goes, whole with its manifest; else to stdout')
    .addOption(new Option('--ok', 'only lines that were answered').conflicts('failed'))
    .option('--failed', 'only lines that were not')
    .addOption(
      new Option('--requests', 'the requests of failed lines, ready to run again').conflicts('ok'),
    )
    .addOption(
      new Option('--partial', 'of a service: what is there of an unfinished job').conflicts([
        ...SELECTING,
        'follow',
      ]),
    )
    .addOption(
      new Option('--follow', 'of a service: the lines as they come, to the end').conflicts([
        ...SELECTING,
      ]),
    );
  withServiceFlags(command).action(async (text: string, flags: ResultFlags) => {
    const service = serviceOf(flags);
    if (service !== null) {
      refuseRequests(flags, terminalOf(flags).command('retry', text));
      const path = flags.output === undefined ? null : await findOutputPath(flags.output, null);
      finish(await remoteResult(text, flags, path, service, terminalOf(flags)));
      return;
    }
    refuseWithoutService(flags);
    await withStore(flags, async (store) => {
      const finished = await findFinished(text, store);
      if (flags.output === undefined) return toStdout(await contentOf(finished, flags, store));
      const path = await findOutputPath(flags.output, finished.resultPath);
      const { job } = finished;
      const isWhole = !(flags.ok ?? flags.failed ?? flags.requests ?? false);
      if (isWhole && job !== null && 'result' in job) {
        await deliver(store, job.spec.id, job.result, path);
      } else await toFile(await contentOf(finished, flags, store), path);
    });
  });
}

function refuseRequests({ requests }: ResultFlags, retry: string): void {
  if (requests !== true) return;
  const way = 'To send the failed requests again, as a job of their own:';
  throw new Refusal('configuration', `A service does not hand requests out. ${way}\n  ${retry}`);
}

function refuseWithoutService({ partial, follow }: ResultFlags): void {
  if (partial !== true && follow !== true) return;
  throw new Refusal(
    'configuration',
    '--partial and --follow need a service: set BATCHWRIGHT_URL, or name it with --url.',
  );
}

async function contentOf(
  { resultPath, job }: Finished,
  flags: ResultFlags,
  store: Store,
): Promise<Readable> {
  if (flags.requests === true) {
    if (job !== null) return Readable.from(store.results.failedRequests(job, resultPath));
    throw new Refusal('configuration', '--requests needs a job: a result file has no requests.');
  }
  if (flags.ok === true) return Readable.from(store.results.filtered(resultPath, 'ok'));
  if (flags.failed === true) return Readable.from(store.results.filtered(resultPath, 'failed'));
  return createReadStream(resultPath);
}
