/**
 * The journeys whose points are struck: what the provider does, and the commands that a user
 * types. A command that is killed is typed again until it ends. Together they reach every point.
 */

import type { SimulatorOptions } from '../../src/simulator/options.ts';
import type { Simulator } from '../../src/simulator/simulator.ts';
import type { Place } from '../support/program.ts';
import { otherTool } from '../support/other-tool.ts';
import { forgetLiveChunk, hasGivenUp, jobOf, untilTrue } from './store-looks.ts';
import { type Draws, limitArguments, requestLines, withBadLines } from './worlds.ts';

export interface Step {
  readonly args: (place: Place, simulator: Simulator) => string[];
  /** What happens before the command is typed for the first time. */
  readonly before?: (place: Place, simulator: Simulator) => Promise<void>;
  /** Exit codes of an orderly end. */
  readonly codes: readonly number[];
  /** The request set comes through a pipe. */
  readonly isPiped?: boolean;
  /** Asks the command to leave (SIGTERM) when this resolves. */
  readonly leaveAt?: (simulator: Simulator) => Promise<unknown>;
}

export interface Plot {
  readonly lines: readonly string[];
  readonly simulator: SimulatorOptions;
  readonly steps: readonly Step[];
  readonly env?: Readonly<Record<string, string>>;
  /** What the world does while the commands run; ends when the signal aborts. */
  readonly attend?: (place: Place, simulator: Simulator, signal: AbortSignal) => Promise<void>;
}

export type Scenario = (draws: Draws) => Plot;

const EXIT = { ok: 0, failedLines: 3, refused: 4, detached: 5, cancelled: 6 } as const;
const ANY_END = [EXIT.ok, EXIT.failedLines];

/** Longer than any batch takes by itself, so that only those expire that are meant to. */
const SHORT_WINDOW_SECONDS = 900;

/** Longer than any case takes: a batch that is stuck stays it. */
const LONG_WINDOW_SECONDS = 100 * 86_400;

/** How long a command may take to come to the moment at which it is asked to leave. */
const LEAVING_MS = 60_000;

const BRAKED_CHUNKS = 6;

export const SCENARIOS: ReadonlyMap<string, Scenario> = new Map<string, Scenario>([
  ['journey', journey],
  ['pipe', pipe],
  ['expired batches', expiredBatches],
  ['lost creates', lostCreates],
  ['given-up create', givenUpCreate],
  ['unseen file', unseenFile],
  ['strangers', strangers],
  ['brake', brake],
  ['cancel', cancel],
  ['refusal', refusal],
  ['pause', pause],
  ['give-back', giveBack],
  ['adoption', adoption],
]);

/** The usual: bad lines, some requests fail for good, some at first. */
function journey(draws: Draws): Plot {
  const lines = withBadLines(draws, requestLines(draws));
  const flakiness = { retryableRate: 0.2, permanentRate: 0.1 };
  return { ...oneRun(draws, lines, ANY_END, '--on-invalid', 'skip'), simulator: { flakiness } };
}

function pipe(draws: Draws): Plot {
  const lines = requestLines(draws);
  const args = (place: Place): string[] => [
    'run',
    '-',
    '-o',
    place.outputPath,
    ...limitArguments(draws, lines.length),
  ];
  return { lines, simulator: {}, steps: [{ args, codes: [EXIT.ok], isPiped: true }] };
}

function expiredBatches(draws: Draws): Plot {
  const plot = oneRun(draws, requestLines(draws), ANY_END, '--max-attempts', '40');
  const faults = [{ name: 'expired_partially', rate: 0.6 }] as const;
  return { ...plot, simulator: { faults, windowSeconds: SHORT_WINDOW_SECONDS } };
}

/** Creates whose answer is lost: after the work for one, before it for another. */
function lostCreates(draws: Draws): Plot {
  const faults = [
    { name: 'create_reset_after_work', times: draws.whole('lost answers', 1, 2) },
    { name: 'create_reset', times: 1 },
  ] as const;
  return { ...oneRun(draws, requestLines(draws), [EXIT.ok]), simulator: { faults } };
}

/**
 * A batch that exists is hidden from the list until it is given up. Time stands still until
 * then, as a batch that is validated for longer than the settle window.
 */
function givenUpCreate(draws: Draws): Plot {
  const faults = [
    { name: 'create_reset_after_work', times: 1 },
    { name: 'list_lag', forMs: 3_600_000 },
  ] as const;
  return {
    ...oneRun(draws, requestLines(draws), [EXIT.ok]),
    simulator: { faults },
    attend: async (place, { controls }, signal) => {
      controls.pause();
      await untilTrue(signal, () => hasGivenUp(place));
      controls.clearFaults('list_lag');
      controls.resume();
    },
  };
}

/** The provider does not see one input file for so long that it is uploaded again. */
function unseenFile(draws: Draws): Plot {
  const faults = [{ name: 'file_not_found_right_after_upload', calls: 12, times: 1 }] as const;
  return { ...oneRun(draws, requestLines(draws), [EXIT.ok]), simulator: { faults } };
}

/** Answer lines that nobody asked for, and the same line twice. */
function strangers(draws: Draws): Plot {
  const faults = [
    { name: 'line_stranger', rate: 0.3 },
    { name: 'line_duplicate', rate: 0.2 },
  ] as const;
  return { ...oneRun(draws, requestLines(draws), [EXIT.ok]), simulator: { faults } };
}

/** Too many errors hold the job; the next command lets it go on. */
function brake(draws: Draws): Plot {
  const lines = requestLines(draws);
  // Enough chunks that the hold still finds some, one after another.
  const size = String(Math.ceil(lines.length / BRAKED_CHUNKS));
  const one = ['--max-requests', size, '--max-live-batches', '1'];
  const run = oneRun(draws, lines, [EXIT.refused, ...ANY_END], ...one, '--max-errors', '0');
  const on = oneRun(draws, lines, ANY_END, ...one, '--max-errors', '100%');
  const simulator = { flakiness: { permanentRate: 0.4 } };
  return { lines, simulator, steps: [...run.steps, ...on.steps] };
}

/** A detached job with batches that would never end is cancelled; its result is fetched. */
function cancel(draws: Draws): Plot {
  const { plot, left, again } = leftAlone(draws);
  const cancelling = { args: (place: Place) => ['cancel', jobOf(place)], codes: [EXIT.cancelled] };
  return { ...plot, steps: [left, cancelling, { ...again, codes: [EXIT.cancelled] }] };
}

/** A job that nobody works on is paused and resumed by commands of their own. */
function pause(draws: Draws): Plot {
  const { plot, left, again } = leftAlone(draws);
  const wish = (word: string): Step => ({
    args: (place) => [word, jobOf(place)],
    codes: [EXIT.ok],
  });
  return { ...plot, steps: [left, wish('pause'), wish('resume'), { ...again, before: goOn }] };
}

/** An older copy is restored, which has forgotten a live batch: it is given back. */
function giveBack(draws: Draws): Plot {
  const { plot, left, again } = leftAlone(draws);
  const recovering: Step = {
    args: () => ['recover', '--provider', '--yes'],
    codes: [EXIT.ok],
    before: async (place) => forgetLiveChunk(place),
  };
  return { ...plot, steps: [left, recovering, { ...again, before: goOn }] };
}

/** Batches of another tool, one for each model; some expire, and their rest is sent again. */
function adoption(draws: Draws): Plot {
  const byModel = [...Map.groupBy(requestLines(draws), modelOf).values()];
  const adopting: Step = {
    args: (place, { controls }) => {
      const own = controls.batches().filter(({ metadata }) => !isNamed(metadata));
      const ids = own.map(({ id }) => id);
      const options = ['--files', 'delete', '--max-attempts', '40', '--yes'];
      return ['adopt', ...ids, '-o', place.outputPath, ...options];
    },
    codes: ANY_END,
    before: async (_, { url }) => {
      const tool = otherTool(url);
      for (const lines of byModel) await tool.send(lines.map((line) => `${line}\n`).join(''));
    },
  };
  const faults = [{ name: 'expired_partially', rate: 0.6 }] as const;
  const simulator = { faults, windowSeconds: SHORT_WINDOW_SECONDS };
  return { lines: byModel.flat(), simulator, steps: [adopting] };
}

/** A run that leaves batches behind which never end by themselves, and the same command again. */
function leftAlone(draws: Draws): { plot: Omit<Plot, 'steps'>; left: Step; again: Step } {
  const run = oneRun(draws, requestLines(draws), [EXIT.detached]);
  const leaveAt = ({ controls }: Simulator): Promise<unknown> =>
    controls.until('batch_created', () => true, { deadlineMs: LEAVING_MS });
  const [step] = run.steps as [Step];
  const simulator: SimulatorOptions = {
    faults: [{ name: 'stuck_validating' }],
    windowSeconds: LONG_WINDOW_SECONDS,
  };
  return {
    plot: { ...run, simulator },
    left: { ...step, leaveAt },
    again: { ...step, codes: [EXIT.ok] },
  };
}

/** What was stuck moves. */
async function goOn(_: Place, { controls }: Simulator): Promise<void> {
  controls.clearFaults('stuck_validating');
}

function modelOf(line: string): string {
  return (JSON.parse(line) as { body: { model: string } }).body.model;
}

/** Whether a batch says that one of our commands made it. */
function isNamed(metadata: unknown): boolean {
  return typeof metadata === 'object' && metadata !== null && 'installation' in metadata;
}

/** Bad lines that are not to be skipped; the same command tries again in vain. */
function refusal(draws: Draws): Plot {
  const lines = withBadLines(draws, requestLines(draws));
  const { steps } = oneRun(draws, lines, [EXIT.refused]);
  return { lines, simulator: {}, steps: [...steps, ...steps] };
}

function oneRun(
  draws: Draws,
  lines: readonly string[],
  codes: readonly number[],
  ...more: string[]
): Plot {
  const limits = limitArguments(draws, lines.length);
  const args = (place: Place): string[] => place.runArgs(...limits, ...more);
  return { lines, simulator: {}, steps: [{ args, codes }] };
}
