/** `batchwright result`: a finished result again, whole or in part, to a file or to stdout. */

import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Command } from 'commander';
import { Option } from 'commander';
import { Refusal } from '../domain/errors.ts';
import type { Store } from '../compose.ts';
import { deliver } from './deliver.ts';
import type { Finished } from './finished.ts';
import { findFinished } from './finished.ts';
import { findOutputPath } from './output-path.ts';
import type { CommonFlags } from './settings.ts';
import { withCommonFlags, withStore } from './settings.ts';

interface ResultFlags extends CommonFlags {
  readonly output?: string;
  readonly ok?: boolean;
  readonly failed?: boolean;
  readonly requests?: boolean;
}

export function addResult(program: Command): void {
  const command = program
    .command('result')
    .description('the result of a job, whole or in part')
    .argument('<job|result>', 'a job, or a result file')
    .option('-o, --output <file>', 'where it goes, whole with its manifest; else to stdout')
    .addOption(new Option('--ok', 'only lines that were answered').conflicts('failed'))
    .option('--failed', 'only lines that were not')
    .addOption(
      new Option('--requests', 'the requests of failed lines, ready to run again').conflicts('ok'),
    );
  withCommonFlags(command).action(async (text: string, flags: ResultFlags) => {
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

/** A reader that has seen enough (`| head`) is no error. */
async function toStdout(stream: Readable): Promise<void> {
  try {
    await pipeline(stream, process.stdout, { end: false });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error;
  }
}

async function toFile(stream: Readable, path: string): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    await pipeline(stream, createWriteStream(temporary, { flags: 'wx', flush: true }));
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
