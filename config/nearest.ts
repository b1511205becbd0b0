/** Which known name somebody may have meant by an unknown one. */

/** More typing errors than this share of the name are no typing errors. */
const MAX_ERRORS_SHARE = 0.34;

/** The candidate with the fewest typing errors in it; null where none is near. */
export function nearestName(name: string, candidates: Iterable<string>): string | null {
  let nearest: string | null = null;
  let fewest = Math.floor(distinctPart(name).length * MAX_ERRORS_SHARE) + 1;
  for (const candidate of candidates) {
    const errors = typingErrors(name, candidate);
    if (errors >= fewest) continue;
    fewest = errors;
    nearest = candidate;
  }
  return nearest;
}

/** What all names begin with says nothing about how alike two are. */
function distinctPart(name: string): string {
  return name.slice(name.indexOf('_') + 1);
}

/** Letters inserted, left out, replaced or swapped with their neighbour. */
function typingErrors(from: string, to: string): number {
  const rows = [Array.from({ length: to.length + 1 }, (_, index) => index)];
  const at = (row: number, column: number): number => rows[row]?.[column] ?? Infinity;
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    rows.push(current);
    for (let column = 1; column <= to.length; column += 1) {
      const isSame = from[row - 1] === to[column - 1];
      const isSwap = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      current[column] = Math.min(
        at(row - 1, column) + 1,
        at(row, column - 1) + 1,
        at(row - 1, column - 1) + (isSame ? 0 : 1),
        isSwap ? at(row - 2, column - 2) + 1 : Infinity,
      );
    }
  }
  return at(from.length, to.length);
}
