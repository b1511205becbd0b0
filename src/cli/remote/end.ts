/** How a job of a service stands or ended, in words and as an exit code. */

import type { JobBody } from '../../http/contract/job-shapes.ts';
import type { ExitCode } from '../exit.ts';
import { EXIT } from '../exit.ts';
import type { Terminal } from '../terminal.ts';
import { grouped, plural } from '../terminal.ts';

const OVER: ReadonlySet<JobBody['status']> = new Set([
  'completed',
  'completed_with_errors',
  'cancelled',
  'failed',
]);

/** Whether nothing more becomes of the job. */
export function isOver({ status }: JobBody): boolean {
  return OVER.has(status);
}

/** Says how the job ended, and what to type next. */
export function sayEnd(job: JobBody, terminal: Terminal): ExitCode {
  const { id, status, counts } = job;
  terminal.event('done', { job: id, status, ...counts });
  if (job.refusal !== null) return sayRefusal(job.refusal, terminal);
  const failed = counts.failed + counts.rejected;
  const mark = failed > 0 ? terminal.style('yellow', '●') : terminal.style('green', '✔');
  terminal.say(
    `${mark} ${status}: ${plural(counts.total, 'line')} = ${grouped(counts.succeeded)} ok + ` +
      `${grouped(failed)} failed`,
  );
  terminal.say(`  ${terminal.command('result', id, '-o', 'result.jsonl')}`);
  if (failed > 0) terminal.say(`  ${terminal.command('errors', id)}`);
  if (status === 'cancelled') return EXIT.cancelled;
  return failed > 0 ? EXIT.failedLines : EXIT.ok;
}

/** The bad lines, the first of them in words. */
function sayRefusal(refusal: NonNullable<JobBody['refusal']>, terminal: Terminal): ExitCode {
  const { code, message, errors, errors_total: total } = refusal;
  for (const bad of errors) terminal.warn(`line ${bad.line}: ${bad.message}`);
  if (total > errors.length) terminal.warn(`… and ${plural(total - errors.length, 'more line')}`);
  terminal.warn(message);
  if (code === 'job_cancelled') return EXIT.cancelled;
  if (code === 'invalid_lines') {
    terminal.warn(
      'Nothing was sent. Mend them, or submit with --on-invalid skip to answer them with errors.',
    );
  }
  return EXIT.refused;
}
