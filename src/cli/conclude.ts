/** What is said when a job has a plan, is held, or is over; and the exit code that follows. */

import type { Store } from '../compose.ts';
import type { JobState, PlanRefusal } from '../domain/job.ts';
import { jobStatus } from '../domain/job.ts';
import { deliver } from './deliver.ts';
import type { ExitCode } from './exit.ts';
import { EXIT } from './exit.ts';
import type { Terminal } from './terminal.ts';
import { grouped, plural, size } from './terminal.ts';

/** One line about the plan, once there is one. */
export function sayPlan(state: JobState, terminal: Terminal): void {
  if (!('plan' in state)) return;
  const { counts, chunkCount, models, source } = state.plan;
  const rejected = counts.rejected > 0 ? ` · ${plural(counts.rejected, 'line')} rejected` : '';
  terminal.event('plan', { requests: counts.requests, chunks: chunkCount, models });
  terminal.say(
    `${terminal.style('green', '✔')} ${plural(counts.requests, 'request')} · ` +
      `${plural(chunkCount, 'chunk')} · ${models.join(', ') || 'no model'} · ` +
      `${size(source.sizeBytes)}${rejected}`,
  );
}

/** Delivers what a finished job has, and says how it ended. */
export async function conclude(
  state: JobState,
  store: Store,
  outPath: string | null,
  terminal: Terminal,
): Promise<ExitCode> {
  if (state.status === 'refused') return sayRefusal(state.refusal, terminal);
  if (state.status !== 'merged' && state.status !== 'done') return EXIT.internal;
  const { id } = state.spec;
  const { result } = state;
  const status = jobStatus(state);
  const delivered = outPath === null ? 'kept' : await deliver(store, id, result, outPath);
  terminal.event('done', { job: id, status, output: outPath, delivered, ...result });
  const failed = result.failed + result.rejected;
  const mark = failed > 0 ? terminal.style('yellow', '●') : terminal.style('green', '✔');
  const where = outPath === null ? '' : ` → ${outPath}`;
  const already = delivered === 'present' ? ' (complete before, nothing to do)' : '';
  terminal.say(
    `${mark} ${status}: ${plural(result.lines, 'line')} = ${grouped(result.succeeded)} ok + ` +
      `${grouped(failed)} failed${where}${already}`,
  );
  if (failed > 0) terminal.say(`  ${terminal.command('errors', id)}`);
  if (status === 'cancelled') return EXIT.cancelled;
  return failed > 0 ? EXIT.failedLines : EXIT.ok;
}

/** How to start over where the same command only finds the cancelled job. */
export function sayAnew(state: JobState, again: string, terminal: Terminal): void {
  if (jobStatus(state) !== 'cancelled' || state.spec.source.kind === 'batches') return;
  terminal.say(`To run it anew, as another job:\n  ${again} --fresh`);
}

/** Nobody agreed to the sending: the job waits, and the same command asks again. */
export function sayDeclined({ spec }: JobState, again: string, terminal: Terminal): ExitCode {
  terminal.event('declined', {});
  terminal.warn(
    `Declined: nothing was sent. To be asked again:\n  ${again}\n` +
      `To drop it:\n  ${terminal.command('cancel', spec.id)}`,
  );
  return EXIT.refused;
}

/** A held job's reason and the way on. */
export function sayHold(state: JobState, again: string, terminal: Terminal): ExitCode {
  const { intent, spec } = state;
  const cancel = terminal.command('cancel', spec.id);
  if (intent.kind !== 'hold') return EXIT.internal;
  terminal.event('paused', { code: intent.code, message: intent.message });
  const ways = {
    unconfirmed: 'Agree to the sending:',
    paused: 'To go on:',
    unauthorized: 'Check OPENAI_API_KEY and the organisation and project, then:',
    insufficient_quota: 'Add credit to the account, then:',
    provider_refused: `Mend the cause (or end the job: ${cancel}), then:`,
    max_errors: `To see its errors, end it (${cancel}). To go on, raise --max-errors:`,
  };
  terminal.warn(
    `${terminal.style('red', '▲')} paused: ${intent.message}\n${ways[intent.code]}\n  ${again}`,
  );
  return intent.code === 'unauthorized' ? EXIT.usage : EXIT.refused;
}

/** The bad lines, the first of them in words, and the way out. */
export function sayRefusal(refusal: PlanRefusal, terminal: Terminal): ExitCode {
  const { code, message, rejected, rejectedTotal } = refusal;
  terminal.event('refused', { code, message, rejected, rejected_total: rejectedTotal });
  for (const { line, message: reason } of rejected) terminal.warn(`line ${line}: ${reason}`);
  const more = rejectedTotal - rejected.length;
  if (more > 0) terminal.warn(`… and ${plural(more, 'more line')}`);
  const wayOut =
    code === 'invalid_lines'
      ? ' Nothing was sent. Mend them, or use --on-invalid skip to answer them with errors.'
      : '';
  terminal.warn(`${message}${wayOut}`);
  if (code === 'job_cancelled') return EXIT.cancelled;
  return code === 'input_unreadable' ? EXIT.usage : EXIT.refused;
}
