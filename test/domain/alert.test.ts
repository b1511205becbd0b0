import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { NOTICES, isCurrent, meaningOf, parseAlert } from '../../src/domain/alert.ts';
import type { NoticeCode } from '../../src/domain/alert.ts';
import { sourceFiles } from '../support/house/source-file.ts';

const CODES = Object.keys(NOTICES) as NoticeCode[];

test.each(CODES)('%s says in sentences what it means and what to do', (code) => {
  const { means, todo, level, fadesMinutes } = meaningOf(code);
  const mayFade = level === 'alert';
  expect(means).toMatch(/^[A-Z].*\.$/);
  expect(todo).toMatch(/^[A-Z].*\.$/);
  expect(mayFade || fadesMinutes === null).toBe(true);
});

test('every code of the table is named by something that tells it', () => {
  const root = join(import.meta.dirname, '..', '..');
  const product = sourceFiles(['src', 'workers']).filter(
    ({ path }) => path !== 'src/domain/alert.ts',
  );
  const text = product.map(({ path }) => readFileSync(join(root, path), 'utf8')).join('\n');
  expect(CODES.filter((code) => !text.includes(`'${code}'`))).toEqual([]);
});

test('an alert is read as it was kept, and what is none that is known is not', () => {
  const about = { code: 'job_idle', message: 'm', atMs: 1, chunk: null, version: 2 } as const;
  const kept = [about, { ...about, chunk: 'c000004' }];
  for (const alert of kept) expect(parseAlert(JSON.stringify(alert))).toEqual(alert);
  const strange = [
    { ...about, code: 'code_of_another_version' },
    { ...about, code: 'toString' },
    { ...about, message: 3 },
    { ...about, atMs: null },
    { ...about, version: '2' },
    { ...about, chunk: '../x' },
    { ...about, chunk: undefined },
    [],
    null,
  ].map((alert) => JSON.stringify(alert));
  for (const text of ['', '{', ...strange]) expect(parseAlert(text)).toBeNull();
});

test('an alert speaks of its stream until that moves, or of something that stays', () => {
  const alert = { message: '', atMs: 0, chunk: null, version: 4 };
  expect(isCurrent({ ...alert, code: 'batch_missing' }, 4)).toBe(true);
  expect(isCurrent({ ...alert, code: 'batch_missing' }, 5)).toBe(false);
  expect(isCurrent({ ...alert, code: 'stray_batch' }, 5)).toBe(true);
});
