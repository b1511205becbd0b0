/** Notices of the steps as lines or events of a command. */

import type { Notices } from '../ports/notices.ts';
import type { Terminal } from './terminal.ts';

/** Infos are for --json only; people see what they may have to act on. */
export function noticesTo(terminal: Terminal): Notices {
  return {
    tell({ level, code, message, job, chunk }) {
      terminal.event('notice', { level, code, message, job, chunk });
      if (level === 'info' || terminal.json) return;
      const mark = level === 'alert' ? terminal.style('red', '▲') : terminal.style('yellow', '△');
      terminal.warn(`${mark} ${chunk === null ? '' : `${chunk}: `}${message}`);
    },
  };
}
