/** Trouble that the world makes itself: errors of any other kind are findings. */

import type { Audit } from './audit.ts';

const REDIS_AWAY = 'REDIS_AWAY';

export function storeTrouble(): Error {
  return Object.assign(new Error('EIO: planned failure of the store'), { code: 'EIO' });
}

export function redisAway(): Error {
  return Object.assign(new Error('Redis is away'), { code: REDIS_AWAY });
}

/** Whether a step may fail so; everything else is a broken invariant. */
export function isPlanned(error: Error, audit: Audit): boolean {
  const { code } = error as { code?: unknown };
  if (code === 'EIO' || code === REDIS_AWAY || /planned failure/.test(error.message)) return true;
  return isOutrun(error.message, audit);
}

/** Whether a sweep may tell so of its failure. */
export function isPlannedMessage(message: string, audit: Audit): boolean {
  return /planned|Redis is away/.test(message) || isOfRemoved(message, audit);
}

/**
 * A merge that came too late finds the parts cleaned away, and its job merged; a step that
 * slept through all of it finds a journal that was removed.
 */
function isOutrun(message: string, audit: Audit): boolean {
  if (isOfRemoved(message, audit)) return true;
  const job = /ENOENT.*(job_\w+)\/chunks\/c\d+\/part-/.exec(message)?.[1] ?? '';
  return ['merged', 'done'].includes(audit.jobs.get(job)?.status ?? '');
}

/** What a removed job had is missed by whoever slept through its removal. */
function isOfRemoved(message: string, audit: Audit): boolean {
  const isMissing = /ENOENT|which has no|vanished/.test(message);
  const job = /(job_\w+)\//.exec(message)?.[1] ?? '';
  return isMissing && audit.removed.has(job);
}
