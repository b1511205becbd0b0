/** `batchwright recover`: makes a restored or copied data directory whole, and says what it did. */

import type { Command } from 'commander';
import type { Config } from '../../config/load.ts';
import type { Store } from '../compose.ts';
import { createProvider } from '../compose.ts';
import { Refusal } from '../domain/errors.ts';
import type { BatchProvider } from '../ports/batch-provider.ts';
import { giveBack } from '../service/give-back.ts';
import { KnownBatches } from '../service/known-batches.ts';
import { patiently } from '../service/patience.ts';
import type { ProviderSurvey } from '../service/provider-survey.ts';
import { surveyProvider } from '../service/provider-survey.ts';
import type { RecoveryReport } from '../service/recovery.ts';
import { Recovery } from '../service/recovery.ts';
import { INSTALLATION } from '../stages/names.ts';
import { EXIT } from './exit.ts';
import type { Finish } from './exit.ts';
import type { CommonFlags } from './settings.ts';
import { terminalOf, wholeOption, withCommonFlags, withStore } from './settings.ts';
import type { Terminal } from './terminal.ts';
import { plural } from './terminal.ts';

interface RecoverFlags extends CommonFlags {
  readonly provider?: boolean;
  readonly installation?: string;
  readonly olderThanMinutes: number;
  readonly yes?: boolean;
}

const MINUTE_MS = 60_000;

/** More names help nobody. */
const SHOWN_CHUNKS = 5;

export function addRecover(program: Command, finish: Finish): void {
  const command = program
    .command('recover')
    .description('check a restored or copied data directory against its journal, and mend it')
    .option('--provider', 'also look for batches and files there that no job here knows')
    .option('--installation <name>', 'with --provider: of a data directory that is lost')
    .addOption(
      wholeOption('--older-than-minutes <n>', 'with --provider: uploads', 0, 525_600).default(60),
    )
    .option('-y, --yes', 'with --provider: give forgotten batches back, delete uploads');
  withCommonFlags(command).action(async (flags: RecoverFlags) => {
    const terminal = terminalOf(flags);
    const work = async (store: Store, config: Config): Promise<void> => {
      const report = await new Recovery(store).run();
      sayReport(report, flags, terminal);
      const isSafe =
        flags.provider !== true || (await seeToProvider(report, flags, config, store, terminal));
      const isDamaged = report.jobs.some(({ damage }) => damage.length > 0);
      finish(isDamaged || !isSafe ? EXIT.refused : EXIT.ok);
    };
    await withStore(flags, work, { key: flags.provider === true });
  });
}

function sayReport(report: RecoveryReport, flags: RecoverFlags, terminal: Terminal): void {
  if (terminal.json) {
    for (const job of report.jobs) terminal.event('job', { ...job });
    terminal.event('leftovers', { removed: report.leftovers });
    return;
  }
  for (const { job, name, status, mended, damage, unrecorded } of report.jobs) {
    const mark = damage.length > 0 ? terminal.style('red', '✘') : terminal.style('green', '✔');
    terminal.data(`${mark} ${job}  ${status}  ${name ?? ''}`.trimEnd());
    for (const what of mended) terminal.data(`  mended: ${what}`);
    for (const what of damage) terminal.data(`  damaged: ${what}`);
    if (damage.length > 0) terminal.data('  Put what is named back from a backup; run this again.');
    if (flags.provider !== true && unrecorded.length > 0) sayUnrecorded(unrecorded, terminal);
    if (status === 'stillborn') {
      terminal.data(`  Nothing of it was sent. To remove it: ${terminal.command('prune', job)}`);
    }
  }
  const { leftovers } = report;
  if (leftovers > 0) terminal.data(`${plural(leftovers, 'leftover')} of dead processes removed.`);
  if (report.jobs.length === 0) terminal.say('There are no jobs here.');
  const mended = report.jobs.filter((job) => job.mended.length > 0).length;
  const damaged = report.jobs.filter((job) => job.damage.length > 0).length;
  terminal.say(`${plural(report.jobs.length, 'job')}: ${mended} mended, ${damaged} damaged.`);
}

/** Of a chunk that waits there is nothing either, so this is no damage. */
function sayUnrecorded(chunks: readonly string[], terminal: Terminal): void {
  const more = chunks.length > SHOWN_CHUNKS ? ' …' : '';
  const names = `${chunks.slice(0, SHOWN_CHUNKS).join(' ')}${more}`;
  terminal.data(`  without an entry: ${plural(chunks.length, 'chunk')}, ${names}`);
  terminal.data(
    '  Not sent yet, or sent and forgotten. Before anything runs, the provider can tell:',
  );
  terminal.data(`  ${terminal.command('recover', '--provider')}`);
}

/** Resolves to whether nothing would be sent that the provider has already. */
async function seeToProvider(
  report: RecoveryReport,
  flags: RecoverFlags,
  config: Config,
  store: Store,
  terminal: Terminal,
): Promise<boolean> {
  const provider = createProvider(config);
  const own = (await store.blobs.get(INSTALLATION))?.toString() ?? null;
  const installation = flags.installation ?? own;
  if (flags.yes === true && installation !== own) {
    const message = '--yes changes nothing of another data directory: leave it or --installation.';
    throw new Refusal('configuration', message);
  }
  const known = await knownBatches(report, store);
  const request = {
    own,
    installation,
    minFileAgeMs: flags.olderThanMinutes * MINUTE_MS,
  };
  const survey = await surveyProvider(request, known, provider, store.clock);
  saySurvey(survey, installation === own, terminal);
  await seeToForgotten(survey, flags, store, terminal);
  if (installation === own) await seeToOrphans(survey, flags, provider, store, terminal);
  const isGivenBack = survey.forgotten.length === 0 || flags.yes === true;
  return isGivenBack && survey.unknown.every(({ isUnplanned }) => !isUnplanned);
}

async function seeToForgotten(
  { forgotten }: ProviderSurvey,
  flags: RecoverFlags,
  store: Store,
  terminal: Terminal,
): Promise<void> {
  if (forgotten.length === 0) return;
  if (flags.yes !== true) {
    const command = terminal.command('recover', '--provider', '--yes');
    terminal.event('to_give_back', { batches: forgotten.length, command });
    if (terminal.json) return;
    terminal.data('  Let nothing run before: it would be sent anew. To give them back:');
    terminal.data(`  ${command}`);
    return;
  }
  for (const one of forgotten) {
    const given = await giveBack(one, store.views);
    terminal.event('given_back', { job: one.job, chunk: one.chunk.id, batch: one.batchId, given });
  }
  terminal.say(`${plural(forgotten.length, 'batch', 'batches')} given back.`);
}

async function seeToOrphans(
  { orphans }: ProviderSurvey,
  flags: RecoverFlags,
  provider: BatchProvider,
  store: Store,
  terminal: Terminal,
): Promise<void> {
  if (orphans.length === 0) return;
  if (flags.yes !== true) {
    terminal.say('The same command with --yes deletes these uploads.');
    return;
  }
  for (const { id } of orphans) {
    await patiently(store.clock, () => provider.deleteFile(id));
    terminal.event('deleted', { file: id });
  }
  terminal.say(`${plural(orphans.length, 'upload')} deleted.`);
}

/** What the jobs that can be read know of; a damaged chunk says nothing. */
async function knownBatches(report: RecoveryReport, store: Store): Promise<KnownBatches> {
  const known = new KnownBatches();
  for (const { job } of report.jobs) {
    const state = await store.views.job(job).catch(() => null);
    const isRead =
      state !== null &&
      (await known.add(state, store.views).then(
        () => true,
        () => false,
      ));
    if (isRead) continue;
    known.unfinished.add(job);
    known.unreadable.add(job);
  }
  return known;
}

function saySurvey(survey: ProviderSurvey, isOwn: boolean, terminal: Terminal): void {
  for (const { job, chunk, batchId, batch } of survey.inFlight) {
    const status = batch?.status ?? 'not listed';
    terminal.event('in_flight', { job, chunk, batch: batchId, status });
    const { completed, total } = batch?.counts ?? { completed: 0, total: 0 };
    const line = `  ${job} ${chunk}  ${batchId}  ${status}  ${completed}/${total}`;
    if (!terminal.json) terminal.data(line);
  }
  for (const { job, chunk, batchId, status } of survey.forgotten) {
    terminal.event('forgotten', { job, chunk: chunk.id, batch: batchId, status });
    if (terminal.json) continue;
    terminal.data(`● ${batchId} (${status}) of ${job} ${chunk.id}, which has forgotten it.`);
  }
  for (const unknown of survey.unknown) sayUnknown(unknown, isOwn, terminal);
  for (const [installation, count] of survey.elsewhere) {
    terminal.event('elsewhere', { installation, batches: count });
    const look = terminal.command('recover', '--provider', '--installation', installation);
    if (terminal.json) continue;
    terminal.data(
      `${plural(count, 'batch', 'batches')} of another data directory, ${installation}. ` +
        `If that one is lost:\n  ${look}`,
    );
  }
  for (const { id, filename, sizeBytes } of survey.orphans) {
    terminal.event('orphan', { file: id, filename, size_bytes: sizeBytes });
    if (!terminal.json) terminal.data(`  upload ${id}  ${filename}: nothing refers to it`);
  }
}

function sayUnknown(
  { job, batches, isUnplanned }: ProviderSurvey['unknown'][number],
  isOwn: boolean,
  terminal: Terminal,
): void {
  const ids = batches.map(({ id }) => id);
  // Whoever names another data directory says that it is lost: nobody else wants its files.
  const files = isOwn ? [] : ['--files', 'delete'];
  const adopt = terminal.command('adopt', ...ids, '-o', `${job}.jsonl`, ...files);
  terminal.event('unknown', { job, batches: ids, adopt });
  if (terminal.json) return;
  const what = isUnplanned ? 'which would send it all anew' : 'which is not known here';
  terminal.data(`● ${plural(ids.length, 'batch', 'batches')} of ${job}, ${what}.`);
  if (isUnplanned) terminal.data(`  To stop it first:\n  ${terminal.command('cancel', job)}`);
  terminal.data(`  To take them over:\n  ${adopt}`);
}
