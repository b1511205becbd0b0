/** How a long-lived process ends: a first signal lets it finish what runs, a second does not. */

import type { Clock } from '../ports/clock.ts';
import { bounded } from '../stages/bounded.ts';

/** Running steps and requests get so long to end; closing all the rest has what is left. */
export const GRACE_MS = 20_000;

/** Supervisors kill after thirty seconds or later. */
const LEAVE_MS = 28_000;

/** What a shell reports for a process that a second signal ended. */
const FORCED = 130;

/** Resolves at the first SIGTERM or SIGINT; a second one ends the process at once. */
export function firstSignal(): Promise<null> {
  const { promise, resolve } = Promise.withResolvers<null>();
  let isAsked = false;
  const onSignal = (): void => {
    if (isAsked) process.exit(FORCED);
    isAsked = true;
    resolve(null);
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  return promise;
}

/** Leaves, and says so on stderr; resolves to whether all that ran came to its end in time. */
export async function inTime(leave: () => Promise<void>, clock: Clock): Promise<boolean> {
  say('Leaving: finishing what runs (again to force) …');
  let isOver = false;
  const leaving = leave().then(() => (isOver = true));
  await bounded(leaving, LEAVE_MS, clock);
  if (!isOver) say('What still ran was cut off; it will be done again.');
  return isOver;
}

/** One line for whoever started the process. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
