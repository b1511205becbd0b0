/** The table of faults and outcomes, for docs/failures.md. */

import type { Row } from './row.ts';
import { ELSEWHERE } from './rows/elsewhere.ts';

/** Markdown: one line for each row, here and in the other programmes. */
export function tableOf(rows: readonly Row[]): string {
  const here = rows.map(({ fault, outcome, name }) => [
    fault,
    outcome,
    `\`npm run matrix -- --row "${name}"\``,
  ]);
  const all = [...here, ...ELSEWHERE.map(({ fault, outcome, test }) => [fault, outcome, test])];
  const lines = all.map((cells) => `| ${cells.join(' | ')} |\n`);
  return `| fault | outcome | test |\n|---|---|---|\n${lines.join('')}`;
}
