/** `batchwright run`: the whole journey of one request set in this process. */

import { dirname } from 'node:path';
import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import type { Config } from '../../config/load.ts';
import type { Store } from '../compose.ts';
import { openHouse, openStore, providerIdentity } from '../compose.ts';
import type { ErrorBound, JobOptions } from '../domain/job.ts';
import type { Submitted } from '../service/jobs.ts';
import { openName } from '../stages/names.ts';
import { conclude, sayAnew } from './conclude.ts';
import { asksBeforeSpending, confirmSpending } from './confirm.ts';
import type { ExitCode, Finish } from './exit.ts';
import { followJob, gone } from './follow.ts';
import { sameCommand } from './hint.ts';
import { noticesTo } from './notices.ts';
import { findOutputPath } from './output-path.ts';
import type { PlanFlags } from './plan-flags.ts';
import { limitsOf, withPlanFlags } from './plan-flags.ts';
import { requireRoom } from './room.ts';
import { configOf, NEEDS_KEY, terminalOf, wholeOption, withCommonFlags } from './settings.ts';
import type { OpenedSource } from './source.ts';
import { openSource } from './source.ts';
import type { Terminal } from './terminal.ts';

interface RunFlags extends PlanFlags {
  readonly output: string;
  readonly maxAttempts: number;
  readonly maxErrors?: ErrorBound;
  readonly maxLiveBatches?: number;
  readonly pollIntervalMs?: number;
  readonly fresh?: boolean;
  readonly yes?: boolean;
}

export function addRun(program: Command, finish: Finish): void {
  const command = program
    .command('run')
    .description('send a request set, wait, and write one answer line for every request line')
    .argument('<input>', 'a JSONL file, a .gz of one, or - for standard input')
    .requiredOption('-o, --output <file>', 'where the result goes');
  withPlanFlags(command)
    .addOption(wholeOption('--max-attempts <n>', 'batches per chunk', 1, 100).default(3))
    .option('--max-errors <n|n%>', 'stop sending new chunks beyond this', parseErrorBound)
    .addOption(wholeOption('--max-live-batches <n>', 'batches alive at once, per model', 1, 10_000))
    .addOption(wholeOption('--poll-interval-ms <ms>', 'pins the polling interval', 10, 86_400_000))
    .option('--fresh', 'a new job even where the same run exists')
    .option('-y, --yes', 'do not ask before sending');
  withCommonFlags(command).action(async (input: string, flags: RunFlags) => {
    const terminal = terminalOf(flags);
    const { maxLiveBatches, pollIntervalMs } = flags;
    const config = configOf(
      flags,
      {
        BATCHWRIGHT_MAX_LIVE_BATCHES: maxLiveBatches,
        BATCHWRIGHT_POLL_INTERVAL_MS: pollIntervalMs,
      },
      NEEDS_KEY,
    );
    const store = openStore(config);
    try {
      finish(await run(input, flags, config, store, terminal));
    } finally {
      await store.close();
    }
  });
}

async function run(
  input: string,
  flags: RunFlags,
  config: Config,
  store: Store,
  terminal: Terminal,
): Promise<ExitCode> {
  const outPath = await findOutputPath(flags.output, input === '-' ? null : input);
  const opened = await openSource(input, store);
  await requireRoom(opened.source, config.dataDir, dirname(outPath));
  const submitted = await submit(opened, flags, config, store, terminal);
  if (submitted.attached && opened.source.kind === 'blob') {
    await store.blobs.delete(opened.source.location);
  }
  const { job, attached } = submitted;
  terminal.event('job', { job, attached });
  terminal.say(`${terminal.style('cyan', '●')} ${job} ${attached ? '(attached)' : ''}`.trimEnd());

  const state = await store.views.job(job);
  const again = sameCommand(process.argv);
  const isClosed = (await store.blobs.head(openName(job))) === null;
  // Who finished it may have died before it cleared up: its mark stands for what is left to do.
  if (state?.status === 'done' && isClosed) {
    const code = await conclude(state, store, outPath, terminal);
    sayAnew(state, again, terminal);
    return code;
  }
  const house = await openHouse(config, store, noticesTo(terminal)).catch(
    async (error: unknown) => {
      // A data directory that went away meanwhile is why, whatever file was missed first.
      throw (await store.views.job(job)) === null ? gone(job) : error;
    },
  );
  const confirm = async (signal: AbortSignal): Promise<boolean> =>
    flags.yes === true || confirmSpending(config, terminal, signal);
  try {
    return await followJob(job, { store, house, terminal, outPath, again, confirm });
  } finally {
    await house.close();
  }
}

async function submit(
  opened: OpenedSource,
  flags: RunFlags,
  config: Config,
  store: Store,
  terminal: Terminal,
): Promise<Submitted> {
  const options: JobOptions = {
    maxAttempts: flags.maxAttempts,
    maxErrors: flags.maxErrors ?? null,
  };
  return store.jobs.submit({
    name: opened.name,
    source: opened.source,
    defaults: { endpoint: flags.endpoint ?? null, model: flags.model ?? null },
    limits: limitsOf(flags, config),
    onInvalid: flags.onInvalid,
    provider: providerIdentity(config),
    completionWindow:
      config.BATCHWRIGHT_COMPLETION_WINDOW ?? config.profile.completionWindows[0] ?? '24h',
    options,
    fresh: flags.fresh ?? false,
    unconfirmed: flags.yes !== true && asksBeforeSpending(config, terminal),
  });
}

function parseErrorBound(text: string): ErrorBound {
  const share = /^(\d+(?:\.\d+)?)%$/.exec(text);
  if (share !== null && Number(share[1]) <= 100) {
    return { kind: 'share', share: Number(share[1]) / 100 };
  }
  if (/^\d+$/.test(text)) return { kind: 'count', count: Number(text) };
  throw new InvalidArgumentError('It must be a number of lines or a share like 2.5%.');
}
