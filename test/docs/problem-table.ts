/** The codes of errors, as docs/http-api.md shows them: `node test/docs/problem-table.ts`. */

import { fileURLToPath } from 'node:url';

import { PROBLEM_CODES } from '../../src/http/contract/problem-codes.ts';

/** Markdown: one line for each code, in their order. */
export function problemTable(): string {
  const lines = PROBLEM_CODES.map(({ code, meaning }) => `| \`${code}\` | ${meaning} |\n`);
  return `| code | meaning |\n|---|---|\n${lines.join('')}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.stdout.write(problemTable());
