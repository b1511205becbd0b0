/** `batchwright adopt`: goes on with batches that another tool or a lost data directory made. */

import { dirname } from 'node:path';
import type { Command } from 'commander';
import { Option } from 'commander';
import type { Config } from '../../config/load.ts';
import type { House, Store } from '../compose.ts';
import { createProvider, openHouse, openStore, providerIdentity } from '../compose.ts';
import type { JobId } from '../domain/ids.ts';
import type { JobState } from '../domain/job.ts';
import type { FilesWish } from '../service/adoption.ts';
import { Adoption } from '../service/adoption.ts';
import { endDuplicate, findDuplicates } from '../service/duplicates.ts';
import type { Submitted } from '../service/jobs.ts';
import { INSTALLATION } from '../stages/names.ts';
import { conclude } from './conclude.ts';
import { asksBeforeSpending, confirmSpending } from './confirm.ts';
import type { ExitCode, Finish } from './exit.ts';
import { followJob } from './follow.ts';
import { sameCommand } from './hint.ts';
import { noticesTo } from './notices.ts';
import { findOutputPath } from './output-path.ts';
import { requireRoom } from './room.ts';
import type { CommonFlags } from './settings.ts';
import { configOf, NEEDS_KEY, terminalOf, wholeOption, withCommonFlags } from './settings.ts';
import type { Terminal } from './terminal.ts';
import { plural } from './terminal.ts';

interface AdoptFlags extends CommonFlags {
  readonly output: string;
  readonly maxAttempts: number;
  /** False with --no-retry. */
  readonly retry: boolean;
  readonly files: FilesWish;
  readonly cancelDuplicates?: boolean;
  readonly pollIntervalMs?: number;
  readonly yes?: boolean;
}

export function addAdopt(program: Command, finish: Finish): void {
  const command = program
    .command('adopt')
    .description('take over batches that exist already, and bring their answers home as one job')
    .argument('<batch_id...>', 'in the order in which their requests are to stand in the result')
    .requiredOption('-o, --output <file>', 'where the result goes')
    .addOption(wholeOption('--max-attempts <n>', 'batches per chunk', 1, 100).default(3))
    .option('--no-retry', 'answer what these batches left unanswered with errors')
    .option('--cancel-duplicates', 'end batches that run over requests of another one')
    .addOption(
      new Option('--files <what>', 'files at the provider; auto: keep them unless made here')
        .choices(['auto', 'keep', 'delete'])
        .default('auto'),
    )
    .addOption(wholeOption('--poll-interval-ms <ms>', 'pins the polling interval', 10, 86_400_000))
    .option('-y, --yes', 'do not ask before anything is sent again');
  withCommonFlags(command).action(async (batchIds: string[], flags: AdoptFlags) => {
    const terminal = terminalOf(flags);
    const more = { BATCHWRIGHT_POLL_INTERVAL_MS: flags.pollIntervalMs };
    const config = configOf(flags, more, NEEDS_KEY);
    const store = openStore(config);
    try {
      finish(await adopt(batchIds, flags, config, store, terminal));
    } finally {
      await store.close();
    }
  });
}

async function adopt(
  batchIds: readonly string[],
  flags: AdoptFlags,
  config: Config,
  store: Store,
  terminal: Terminal,
): Promise<ExitCode> {
  const outPath = await findOutputPath(flags.output, null);
  const { job, attached } = await submit(batchIds, flags, outPath, config, store, terminal);
  terminal.event('job', { job, attached });
  terminal.say(`${terminal.style('cyan', '●')} ${job} ${attached ? '(attached)' : ''}`.trimEnd());

  const state = await store.views.job(job);
  if (state?.status === 'done') return conclude(state, store, outPath, terminal);
  const again = sameCommand(process.argv);
  const house = await openHouse(config, store, noticesTo(terminal));
  const confirm = async (signal: AbortSignal): Promise<boolean> => {
    if (flags.yes === true) return true;
    terminal.say(`${plural(await unanswered(job, store), 'request')} got no answer.`);
    return confirmSpending(config, terminal, signal);
  };
  const afterPlan = async (planned: JobState): Promise<void> =>
    seeToDuplicates(planned, flags.cancelDuplicates ?? false, store, house, terminal);
  try {
    const following = { store, house, terminal, outPath, again, confirm, afterPlan };
    return await followJob(job, { ...following, asksLate: true });
  } finally {
    await house.close();
  }
}

async function submit(
  batchIds: readonly string[],
  flags: AdoptFlags,
  outPath: string,
  config: Config,
  store: Store,
  terminal: Terminal,
): Promise<Submitted> {
  const { limits, completionWindows } = config.profile;
  const { maxRequests, maxBytes, maxInputs } = limits;
  const maxLineBytes = Math.min(config.BATCHWRIGHT_MAX_LINE_BYTES, limits.maxLineBytes);
  const provider = createProvider(config);
  const own = (await store.blobs.get(INSTALLATION))?.toString() ?? null;
  const adoption = new Adoption(store.jobs, store.views, provider, store.clock, own);
  return adoption.adopt(
    {
      batchIds,
      files: flags.files,
      defaults: { endpoint: null, model: null },
      limits: { maxRequests, maxBytes, maxInputs, maxLineBytes },
      onInvalid: 'fail',
      provider: providerIdentity(config),
      completionWindow: config.BATCHWRIGHT_COMPLETION_WINDOW ?? completionWindows[0] ?? '24h',
      options: { maxAttempts: flags.retry ? flags.maxAttempts : 1, maxErrors: null },
      unconfirmed: flags.yes !== true && asksBeforeSpending(config, terminal),
    },
    async (source) => requireRoom(source, config.dataDir, dirname(outPath)),
  );
}

/** A batch that others made is ended only where people say so. */
async function seeToDuplicates(
  job: JobState,
  cancels: boolean,
  store: Store,
  { tools }: House,
  terminal: Terminal,
): Promise<void> {
  const live = await findDuplicates(job, store.views, tools.provider, store.clock);
  for (const batch of live) {
    const ended = cancels && (await endDuplicate(batch, tools.provider, store.clock));
    terminal.event('duplicate', { batch: batch.id, status: batch.status, cancelled: ended });
    terminal.warn(
      `▲ ${batch.id} (${batch.status}) runs over requests of another of these batches: ` +
        (ended
          ? 'it is being cancelled; what it answered is used.'
          : 'both are paid for. The same command with --cancel-duplicates ends it.'),
    );
  }
}

async function unanswered(id: JobId, store: Store): Promise<number> {
  const job = await store.views.job(id);
  if (job === null || !('plan' in job)) return 0;
  let pending = 0;
  for (const chunk of (await store.views.plan(job)).chunks) {
    const { state } = await store.views.chunkStream(id, chunk);
    if (state.status === 'waiting') pending += state.tally.pending;
  }
  return pending;
}
