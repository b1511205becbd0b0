import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { call, openServiceScene } from '../support/service.ts';

const PAGE = join(import.meta.dirname, '../../docs/deployment.md');

test('the documented metrics are those that there are', async () => {
  const { url } = await openServiceScene({ workers: false });
  const { text } = await call('GET', `${url}/metrics`);
  const shown = [...text.matchAll(/^# TYPE (batchwright_\w+)/gm)].map(([, name]) => name);
  const page = await readFile(PAGE, 'utf8');
  const rows = page.split('\n').filter((line) => line.startsWith('| `batchwright_'));
  const told = rows.flatMap((row) => [...row.matchAll(/`(batchwright_\w+)/g)]);
  expect(shown.length).toBeGreaterThan(10);
  expect(new Set(told.map(([, name]) => name))).toEqual(new Set(shown));
});
