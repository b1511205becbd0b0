/** What is done around a command of a plot, whoever types it. */

import type { Simulator } from '../../src/simulator/simulator.ts';
import type { Running } from '../support/program.ts';
import type { Step } from './scenarios.ts';

/** Only after the plan is told the program hears signals for certain. */
export async function leaveInTime(
  { leaveAt }: Step,
  running: Running,
  simulator: Simulator,
): Promise<void> {
  if (leaveAt === undefined) return;
  await Promise.all([running.says(/chunks? ·/), leaveAt(simulator)])
    .then(() => running.signal('SIGTERM'))
    .catch(() => undefined);
}
