/** The points at which a disk can fail, of all that a journey reaches. */

/** Verbs of calls that change something on a disk. */
const VERBS = new Set(['open', 'write', 'flush', 'link', 'rename', 'make', 'copy', 'remove']);

/** Its files lie in the runtime folder, which is not where jobs are kept. */
const ELSEWHERE = /^embedded Redis/;

const POINT = /^(?<object>.*): (?<moment>before|torn|after) (?<verb>\w+)$/;

/** No disk opens a file and then says that it did not: the handle would be lost. */
const IMPOSSIBLE = /: after open$/;

/** What is done at a point: the disk fails with a code, or the process dies in half a write. */
export type StorageAction = 'ENOSPC' | 'EIO' | 'EROFS' | 'EACCES' | 'kill';

/** Calls by a path, which a read-only disk or a missing right refuses. */
const BY_PATH = new Set(['open', 'link', 'rename', 'make', 'copy', 'remove']);

/** Who comes first makes a folder, in every run another one. */
const BY_CHANCE = /: (?:before|after) make$/;

/** Each point of the disk, with how often it was reached. */
export function storagePoints(reached: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const point of reached) {
    const { object = '', verb = '' } = POINT.exec(point)?.groups ?? {};
    if (!VERBS.has(verb) || ELSEWHERE.test(object) || IMPOSSIBLE.test(point)) continue;
    counts.set(point, (counts.get(point) ?? 0) + 1);
  }
  return counts;
}

/**
 * What can befall the point: only a write can be torn, and only a torn one is worth a death; what
 * may not be done at all is refused beforehand.
 */
export function actionsAt(point: string): StorageAction[] {
  const { moment, verb = '' } = POINT.exec(point)?.groups ?? {};
  if (moment === 'torn') return ['ENOSPC', 'EIO', 'kill'];
  const isRefused = moment === 'before' && BY_PATH.has(verb);
  return isRefused ? ['ENOSPC', 'EIO', 'EROFS', 'EACCES'] : ['ENOSPC', 'EIO'];
}

/** Whether a run like the undisturbed one may do without the point. */
export function isByChance(point: string): boolean {
  return BY_CHANCE.test(point);
}
