/** `batchwright submit`: hands a request set to a service, and prints the job's id. */

import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import type { z } from 'zod';
import { job, planned } from '../http/contract/job-shapes.ts';
import { createJob } from '../http/contract/jobs.ts';
import type { ExitCode, Finish } from './exit.ts';
import { EXIT } from './exit.ts';
import { sameCommand } from './hint.ts';
import type { PlanFlags } from './plan-flags.ts';
import { withPlanFlags } from './plan-flags.ts';
import type { CallInput, ServiceClient } from './remote/client.ts';
import { ServiceUnreachable } from './remote/exchange.ts';
import type { ServiceFlags } from './remote/service.ts';
import { requireService, withServiceFlags } from './remote/service.ts';
import type { Upload } from './remote/upload.ts';
import { openUpload } from './remote/upload.ts';
import { terminalOf, wholeOption } from './settings.ts';
import type { Terminal } from './terminal.ts';
import { plural } from './terminal.ts';

interface SubmitFlags extends PlanFlags, ServiceFlags {
  readonly maxAttempts?: number;
  readonly name?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly callbackUrl?: string;
  readonly idempotencyKey?: string;
  readonly dryRun?: boolean;
}

/** Characters of a name that the service takes. */
const MAX_NAME = 200;

/** The service reads, checks and stores everything before it answers: gigabytes take their time. */
const ANSWER_MS = 900_000;

export function addSubmit(program: Command, finish: Finish): void {
  const command = program
    .command('submit')
    .description('hand a request set to a service; prints the id of its job')
    .argument('<input>', 'a JSONL file, a .gz of one, or - for standard input');
  withPlanFlags(command)
    .addOption(wholeOption('--max-attempts <n>', 'batches per chunk', 1, 100))
    .option('--name <text>', 'for people; else the file’s name')
    .option('--metadata <key=value>', 'a pair of yours; may be repeated', addPair)
    .option('--callback-url <url>', 'is told when the job is over')
    .option('--idempotency-key <key>', 'the same key and content is the same job')
    .option('--dry-run', 'check and plan only; nothing is kept or sent');
  withServiceFlags(command).action(async (input: string, flags: SubmitFlags) => {
    const terminal = terminalOf(flags);
    const instead = 'Without a service: batchwright run does the whole journey here.';
    const service = requireService(flags, instead);
    const upload = await openUpload(input, terminal);
    const isDry = flags.dryRun === true;
    finish(await (isDry ? preview : submit)(upload, flags, service, terminal));
  });
}

async function submit(
  upload: Upload,
  flags: SubmitFlags,
  service: ServiceClient,
  terminal: Terminal,
): Promise<ExitCode> {
  // With a key of its own the same upload can be sent again when nobody knows what became of it.
  const key = flags.idempotencyKey ?? randomUUID();
  const headers = { 'idempotency-key': key };
  const made = await service
    .call(createJob, job, inputOf(upload, flags, headers))
    .catch((error: unknown) => {
      if (error instanceof ServiceUnreachable && !error.isUnheard) sayRepeat(key, flags, terminal);
      throw error;
    });
  terminal.data(terminal.json ? JSON.stringify(made) : made.id);
  terminal.say('Submitted. To see how it goes, and to fetch what came of it:');
  terminal.say(`  ${terminal.command('watch', made.id)}`);
  terminal.say(`  ${terminal.command('result', made.id, '-o', 'result.jsonl')}`);
  return EXIT.ok;
}

async function preview(
  upload: Upload,
  flags: SubmitFlags,
  service: ServiceClient,
  terminal: Terminal,
): Promise<ExitCode> {
  const plan = await service.call(createJob, planned, inputOf(upload, flags, {}));
  if (terminal.json) terminal.data(JSON.stringify(plan));
  else sayPlan(plan, terminal);
  return plan.would_be_sent ? EXIT.ok : EXIT.refused;
}

function inputOf(
  { name, headers, blocks }: Upload,
  flags: SubmitFlags,
  more: Readonly<Record<string, string>>,
): CallInput {
  return {
    query: {
      name: flags.name ?? name.slice(0, MAX_NAME),
      endpoint: flags.endpoint,
      model: flags.model,
      on_invalid: flags.onInvalid,
      max_attempts: flags.maxAttempts,
      max_requests: flags.maxRequests,
      max_bytes: flags.maxBytes,
      callback_url: flags.callbackUrl,
      metadata: flags.metadata,
      dry_run: flags.dryRun,
    },
    headers: { ...headers, ...more },
    stream: blocks,
    idleMs: ANSWER_MS,
  };
}

function sayRepeat(key: string, flags: SubmitFlags, terminal: Terminal): void {
  const again = flags.idempotencyKey === undefined ? ` --idempotency-key ${key}` : '';
  terminal.warn(
    'Whether the job was made is not known. The same again makes no second one:\n' +
      `  ${sameCommand(process.argv)}${again}`,
  );
}

function sayPlan(plan: z.output<typeof planned>, terminal: Terminal): void {
  const { counts, errors, errors_total: total } = plan;
  for (const { line, message } of errors) terminal.warn(`line ${line}: ${message}`);
  if (total > errors.length) terminal.warn(`… and ${plural(total - errors.length, 'more line')}`);
  if (!plan.would_be_sent) {
    const way = 'Mend them, or use --on-invalid skip to answer them with errors.';
    terminal.warn(`${plural(counts.rejected, 'line')} cannot be sent. ${way}`);
    return;
  }
  terminal.data(
    `${plural(counts.requests, 'request')} · ${plural(plan.chunks, 'chunk')} · ` +
      `${plan.endpoint ?? '–'} · ${plan.models.join(', ') || 'no model'} · ` +
      `${plural(counts.rejected, 'rejected line')} · ${plural(counts.blank, 'blank line')}`,
  );
}

function addPair(
  text: string,
  before: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('It must be like key=value.');
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}
