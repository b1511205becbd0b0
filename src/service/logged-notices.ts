/** Notices as lines of the log: how a service tells what it has to tell. */

import type { NoticeLevel } from '../domain/alert.ts';
import type { Log } from '../ports/log.ts';
import type { Notices } from '../ports/notices.ts';

const LEVELS: Readonly<Record<NoticeLevel, 'info' | 'warn' | 'error'>> = {
  info: 'info',
  warning: 'warn',
  alert: 'error',
};

/** Every notice is one line with its code, and the job and chunk that it is about. */
export function loggedNotices(log: Log): Notices {
  return {
    tell({ level, code, message, job, chunk }) {
      log[LEVELS[level]](message, { code, level_of_notice: level, job, chunk });
    },
  };
}
