/** `batchwright verify`: proves from the bytes that every line is answered once, in order. */

import type { Command } from 'commander';
import type { Store } from '../compose.ts';
import { Refusal } from '../domain/errors.ts';
import { auditBytes } from '../service/byte-audit.ts';
import type { ExitCode, Finish } from './exit.ts';
import { EXIT } from './exit.ts';
import type { Finished } from './finished.ts';
import { findFinished, readManifest } from './finished.ts';
import type { CommonFlags } from './settings.ts';
import { terminalOf, withCommonFlags, withStore } from './settings.ts';
import type { Terminal } from './terminal.ts';
import { grouped } from './terminal.ts';

export function addVerify(program: Command, finish: Finish): void {
  const command = program
    .command('verify')
    .description('prove offline, from the manifest, that every line is answered once, in order')
    .argument('<job|result>', 'a job, or a result file with its manifest beside it');
  withCommonFlags(command).action(async (text: string, flags: CommonFlags) => {
    const terminal = terminalOf(flags);
    await withStore(flags, async (store) => {
      finish(await verify(text, store, terminal));
    });
  });
}

async function verify(text: string, store: Store, terminal: Terminal): Promise<ExitCode> {
  let finished: Finished | null = null;
  try {
    finished = await findFinished(text, store);
    const expected = await readManifest(finished, store);
    const result = await verifyBytes(finished, expected, store);
    const audited = await auditStore(finished, store);
    const problems = [...result.problems, ...audited];
    const ok = problems.length === 0;
    if (terminal.json) terminal.data(JSON.stringify({ ...result, ok, problems }));
    for (const problem of problems) terminal.warn(problem);
    if (!result.ok) {
      terminal.warn(`${finished.resultPath} is not what ${finished.manifestPath} says.`);
    }
    if (audited.length > 0) {
      terminal.warn(`${finished.name}: what is stored does not come out of its own bytes.`);
    }
    if (!ok) return EXIT.refused;
    if (!terminal.json) sayProven(result.counts, expected.sha256, terminal);
    return EXIT.ok;
  } catch (error) {
    if (!saysDamage(error, finished)) throw error;
    terminal.warn(error.message);
    return EXIT.refused;
  }
}

async function verifyBytes(
  { resultPath }: Finished,
  expect: Awaited<ReturnType<typeof readManifest>>,
  store: Store,
) {
  const scratchFolder = await store.scratch.makeFolder('verify');
  try {
    return await store.engines.run('verifyResult', { resultPath, scratchFolder, expect });
  } finally {
    await store.scratch.removeFolder(scratchFolder);
  }
}

/** A job's own store is made once more from its bytes; beside a bare file nothing is known. */
async function auditStore({ job }: Finished, store: Store): Promise<string[]> {
  return job === null ? [] : auditBytes(job.spec.id, store);
}

function sayProven(
  { lines, succeeded, failed }: { lines: number; succeeded: number; failed: number },
  sha256: string,
  terminal: Terminal,
): void {
  terminal.data(
    `${terminal.style('green', '✔')} ${grouped(lines)} in = ${grouped(succeeded)} ok + ` +
      `${grouped(failed)} failed · order kept · 0 duplicates · sha256 ${sha256}`,
  );
}

/** A finished job whose result or manifest is gone or no manifest is not what it says. */
function saysDamage(error: unknown, finished: Finished | null): error is Error {
  if (!(error instanceof Error)) return false;
  const isGone = (error as NodeJS.ErrnoException).code === 'ENOENT';
  const isUnreadable = error instanceof Refusal && error.code === 'input_unreadable';
  return finished === null ? isGone : isUnreadable && finished.job !== null;
}
