import { readFile } from 'node:fs/promises';

import { expect, test } from 'vitest';

import { ROWS } from '../matrix/rows/every-row.ts';
import { tableOf } from '../matrix/table.ts';
import { noticeTable } from './notice-table.ts';

const page = await readFile(new URL('../../docs/failures.md', import.meta.url), 'utf8');

test('docs/failures.md names every notice: node test/docs/notice-table.ts prints the table', () => {
  expect(page).toContain(noticeTable());
});

test('docs/failures.md names every row of the matrix: npm run matrix -- --table prints it', () => {
  expect(page).toContain(tableOf(ROWS));
});
