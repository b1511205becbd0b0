/** Pairs of faults: which of them come together, over which seeds. */

import { drawsFor } from '../../src/simulator/random.ts';
import type { MatrixCase } from './matrix.ts';
import type { Row } from './row.ts';

/** So many pairs of rows that mix, all different while there are enough; always the same ones. */
export function drawPairs(rows: readonly Row[], count: number): MatrixCase[] {
  const mixing = rows.filter(({ mixes }) => mixes !== false);
  const all = mixing.flatMap((one, at) => mixing.slice(at + 1).map((other) => [one, other]));
  const draws = drawsFor('pairs');
  for (let last = all.length - 1; last > 0; last -= 1) {
    const other = draws.below(last + 1);
    [all[last], all[other]] = [all[other] ?? [], all[last] ?? []];
  }
  const fitting = all.filter(([one, other]) => one && other && !sameFault(one, other));
  return Array.from({ length: count }, (_, index) => ({
    rows: fitting[index % fitting.length] ?? [],
    seed: 1 + index,
  }));
}

/** A fault that is switched on a second time would replace the first. */
function sameFault(one: Row, other: Row): boolean {
  const names = new Set((one.faults?.(1) ?? []).map(({ name }) => name));
  return (other.faults?.(1) ?? []).some(({ name }) => names.has(name));
}
