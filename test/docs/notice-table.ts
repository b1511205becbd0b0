/** What operators are told, as docs/failures.md shows it: `node test/docs/notice-table.ts`. */

import { fileURLToPath } from 'node:url';

import { NOTICES } from '../../src/domain/alert.ts';

/** Markdown: one line for each code, alerts first. */
export function noticeTable(): string {
  const order = ['alert', 'warning', 'info'];
  const lines = Object.entries(NOTICES)
    .toSorted(([, a], [, b]) => order.indexOf(a.level) - order.indexOf(b.level))
    .map(([code, { level, means, todo }]) => `| \`${code}\` | ${level} | ${means} | ${todo} |\n`);
  return `| code | level | what it means | what to do |\n|---|---|---|---|\n${lines.join('')}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.stdout.write(noticeTable());
