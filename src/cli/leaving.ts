/** Ctrl-C and SIGTERM: the first leaves in order, the second at once. */

import { EXIT } from './exit.ts';
import type { Terminal } from './terminal.ts';

export interface Leaving {
  /** Aborted by the first signal. */
  readonly signal: AbortSignal;
  /** Gives the signals back. */
  done(): void;
}

export function listenForLeaving(terminal: Terminal): Leaving {
  const controller = new AbortController();
  const onSignal = (): void => {
    if (controller.signal.aborted) process.exit(EXIT.forced);
    controller.abort();
    terminal.warn('Leaving: finishing what runs (again to force) …');
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
