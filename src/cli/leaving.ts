/** Ctrl-C and SIGTERM: the first leaves in order, the second at once. */

import { EXIT } from './exit.ts';
import type { Terminal } from './terminal.ts';

export interface Leaving {
  /** Aborted by the first signal. */
  readonly signal: AbortSignal;
  /** Gives the signals back. */
  done(): void;
}

/** `says`: what the first signal is answered with; null: nothing. */
export function listenForLeaving(
  terminal: Terminal,
  says: string | null = 'Leaving: finishing what runs (again to force) …',
): Leaving {
  const controller = new AbortController();
  const onSignal = (): void => {
    if (controller.signal.aborted) process.exit(EXIT.forced);
    controller.abort();
    if (says !== null) terminal.warn(says);
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return {
    signal: controller.signal,
    done: () => {
      process.off('SIGINT', onSignal);
      process.off('SIGTERM', onSignal);
    },
  };
}
