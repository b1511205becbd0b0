/** The commands, and what their errors mean to the shell. */

import { Command, CommanderError } from 'commander';
import { ConfigError } from '../../config/load.ts';
import { Refusal, StoreDamage, Weather } from '../domain/errors.ts';
import { PROGRAM_VERSION } from '../version.ts';
import { addAdopt } from './adopt.ts';
import { addCancel } from './cancel.ts';
import { addConfig } from './config.ts';
import { addDoctor } from './doctor.ts';
import { addErrors } from './errors.ts';
import type { ExitCode, Finish } from './exit.ts';
import { EXIT } from './exit.ts';
import { addKeys } from './keys.ts';
import { addList } from './list.ts';
import { addPause, addResume } from './pause.ts';
import { addPlan } from './plan.ts';
import { addPrune } from './prune.ts';
import { addRecover } from './recover.ts';
import { serviceTrouble } from './remote/trouble.ts';
import { addResult } from './result.ts';
import { addRetry } from './retry.ts';
import { addRun } from './run.ts';
import { addServe } from './serve.ts';
import { addSimulate } from './simulate.ts';
import { addStatus } from './status.ts';
import { addSubmit } from './submit.ts';
import { addVerify } from './verify.ts';
import { addWatch } from './watch.ts';
import { addWorker } from './worker.ts';

/** Runs the command line and resolves to the exit code. Never rejects. */
export async function runProgram(argv: readonly string[]): Promise<number> {
  let code: ExitCode = EXIT.ok;
  const finish: Finish = (how) => {
    code = how;
  };
  const program = new Command('batchwright')
    .description('Runs request sets of any size through the OpenAI Batch API.')
    .version(PROGRAM_VERSION)
    .showHelpAfterError('(batchwright --help shows what there is)')
    .exitOverride();
  for (const add of [
    addRun,
    addServe,
    addSubmit,
    addWatch,
    addPlan,
    addVerify,
    addStatus,
    addErrors,
    addResult,
    addRetry,
    addList,
    addPause,
    addResume,
    addCancel,
    addPrune,
    addAdopt,
    addRecover,
    addWorker,
    addKeys,
    addConfig,
    addSimulate,
    addDoctor,
  ]) {
    add(program, finish);
  }
  for (const command of program.commands) nameHelp(command, 'batchwright');
  for (const stream of [process.stdout, process.stderr]) stream.on('error', leaveUnlessPipe);
  try {
    await program.parseAsync([...argv]);
    return code;
  } catch (error) {
    return exitOf(error);
  }
}

/** After a wrong flag, people are told where the right ones are. */
function nameHelp(command: Command, before: string): void {
  const words = `${before} ${command.name()}`;
  command.exitOverride().showHelpAfterError(`(${words} --help shows its options)`);
  for (const inner of command.commands) nameHelp(inner, words);
}

/** A reader that has seen enough (`| head`) is no error; a full disk behind `>` is. */
function leaveUnlessPipe(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') return;
  process.stderr.write(`The output cannot be written: ${error.message}\n`);
  process.exit(EXIT.usage);
}

function exitOf(error: unknown): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (error instanceof ConfigError) {
    process.stderr.write(`The configuration is wrong:\n${error.message}\n`);
    return EXIT.usage;
  }
  if (error instanceof Refusal) {
    process.stderr.write(`${error.message}\n`);
    return USAGE_CODES.has(error.code) ? EXIT.usage : EXIT.refused;
  }
  if (error instanceof StoreDamage) {
    const way = 'Put it back from a backup; docs/failures.md says what else can be done.';
    process.stderr.write(`The data directory is damaged: ${error.message}.\n${way}\n`);
    return EXIT.refused;
  }
  if (error instanceof Weather) {
    process.stderr.write(`The provider could not be used: ${error.message}\n`);
    return EXIT.internal;
  }
  const trouble = serviceTrouble(error);
  if (trouble !== null) {
    process.stderr.write(`${trouble.message}\n`);
    return trouble.exit;
  }
  if (error instanceof Error && MACHINE_CODES.has(codeOf(error))) {
    const way = 'Mend that, then run the same command again.';
    process.stderr.write(`A file could not be used: ${error.message}\nNothing is lost. ${way}\n`);
    return ROOM_CODES.has(codeOf(error)) ? EXIT.refused : EXIT.usage;
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`Something broke inside batchwright (nothing is lost):\n${text}\n`);
  return EXIT.internal;
}

function codeOf(error: Error): string {
  return 'code' in error ? String(error.code) : '';
}

const ROOM_CODES: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EIO']);

/** What people can mend on their machine: no fault of the program. */
const MACHINE_CODES: ReadonlySet<string> = new Set([
  ...ROOM_CODES,
  'EACCES',
  'EPERM',
  'EROFS',
  'EMFILE',
  'ENOTDIR',
]);

const USAGE_CODES: ReadonlySet<string> = new Set([
  'configuration',
  'input_unreadable',
  'unknown_job',
  'unknown_key',
  'ambiguous_job',
]);
