/** Trouble with a service, in words for people and as an exit code. */

import type { ExitCode } from '../exit.ts';
import { EXIT } from '../exit.ts';
import { plural } from '../terminal.ts';
import { ServiceUnreachable } from './exchange.ts';
import { ServiceProblem, StrangeAnswer } from './problems.ts';

/** Bad lines that are shown. */
const MAX_LINES = 20;

/** What to do about a status, where the service's own words do not say it to a command. */
const WAYS: ReadonlyMap<number, string> = new Map([
  [401, 'Set BATCHWRIGHT_API_KEY to a key of the service: batchwright keys create makes one.'],
]);

/** What is said instead of the service's words where those name its calls and not commands. */
const COMMANDS_WORDS: ReadonlyMap<string, string> = new Map([
  [
    'nothing_to_retry',
    'No failed request is of that kind: batchwright errors shows the classes that there are, and ' +
      '--all asks for every one that was sent.',
  ],
  [
    'not_finished',
    'The job is not over yet: batchwright watch waits for it, and batchwright result gives with ' +
      '--partial what is there, with --follow all as it comes.',
  ],
  ['no_result', 'The job ended before anything was sent: batchwright status says why.'],
]);

/** The caller's settings or words are wrong, not what they have to send. */
const USAGE_STATUSES: ReadonlySet<number> = new Set([401, 403, 404, 405, 415, 421]);

/** Faults of the request set itself. */
const SET_CODES: ReadonlySet<string> = new Set([
  'invalid_lines',
  'empty_input',
  'invalid_gzip',
  'line_too_long',
]);

export interface Trouble {
  readonly message: string;
  readonly exit: ExitCode;
}

/** Null where the error is none of a service. */
export function serviceTrouble(error: unknown): Trouble | null {
  if (error instanceof ServiceProblem) {
    return { message: problemInWords(error), exit: exitOfProblem(error) };
  }
  if (error instanceof ServiceUnreachable) {
    const exit = error.isUnheard ? EXIT.usage : EXIT.internal;
    return { message: unreachableInWords(error), exit };
  }
  if (!(error instanceof StrangeAnswer)) return null;
  const way = 'See that BATCHWRIGHT_URL names a service of this version (batchwright serve).';
  return { message: `This is not what the service should say: ${error.message}.\n${way}`, exit: 1 };
}

/** The bad lines of a request set first, then what is wrong and the way out. */
function problemInWords({ body }: ServiceProblem): string {
  const { detail, errors = [], param, status, code, request_id: request } = body;
  // One bad line alone may be all that the detail tells of, in the same words.
  const others = errors.filter((bad) => bad.message !== detail);
  const lines = others.slice(0, MAX_LINES).map((bad) => `line ${bad.line}: ${bad.message}`);
  const more = others.length - lines.length;
  if (more > 0) lines.push(`… and ${plural(more, 'more line')}`);
  lines.push(`${param === undefined ? '' : `${param}: `}${COMMANDS_WORDS.get(code) ?? detail}`);
  const way = WAYS.get(status);
  if (way !== undefined) lines.push(way);
  if (status >= 500) lines.push(`(${code}; the service’s log knows the call as ${request})`);
  return lines.join('\n');
}

function exitOfProblem({ body: { status, code } }: ServiceProblem): ExitCode {
  if (status === 507) return EXIT.refused;
  if (status >= 500 || status === 429 || status === 408) return EXIT.internal;
  if (USAGE_STATUSES.has(status)) return EXIT.usage;
  return status === 400 && !SET_CODES.has(code) ? EXIT.usage : EXIT.refused;
}

function unreachableInWords({ message, isUnheard }: ServiceUnreachable): string {
  const way = isUnheard
    ? 'Start one with: batchwright serve\n' +
      'or set BATCHWRIGHT_URL (or --url) to where it is; status, list and others do without one.'
    : 'Run the same command again; batchwright list says what the service knows.';
  return `The service could not be used: ${message}\n${way}`;
}
