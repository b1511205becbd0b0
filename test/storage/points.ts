/** The points at which a disk can fail, of all that a journey reaches. */

/** Verbs of calls that change something on a disk. */
const VERBS = new Set(['open', 'write', 'flush', 'link', 'rename', 'make', 'copy', 'remove']);

/** Its files lie in the runtime folder, which is not where jobs are kept. */
const ELSEWHERE = /^embedded Redis/;

const POINT = /^(?<object>.*): (?<moment>before|torn|after) (?<verb>\w+)$/;

/** No disk opens a file and then says that it did not: the handle would be lost. */
const IMPOSSIBLE = /: after open$/;

/** What is done at a point: the disk fails with a code, or the process dies in half a write. */
export type StorageAction = 'ENOSPC' | 'EIO' | 'kill';

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

/** What can befall the point: only a write can be torn, and only a torn one is worth a death. */
export function actionsAt(point: string): StorageAction[] {
  const isTorn = POINT.exec(point)?.groups?.['moment'] === 'torn';
  return isTorn ? ['ENOSPC', 'EIO', 'kill'] : ['ENOSPC', 'EIO'];
}
