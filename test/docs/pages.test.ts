import { access, readdir, readFile } from 'node:fs/promises';
import { join, normalize } from 'node:path';

import { expect, test } from 'vitest';

import { READ_ELSEWHERE, SECRETS, settings } from '../../config/schema.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const inDocs = (await readdir(join(ROOT, 'docs'), { recursive: true })).filter((name) =>
  name.endsWith('.md'),
);
const paths = ['README.md', 'CHANGELOG.md', ...inDocs.map((name) => join('docs', name))];
const pages = new Map<string, string>();
for (const path of paths) pages.set(path, await readFile(join(ROOT, path), 'utf8'));

test.each(paths)('every link of %s leads to a file or a heading', async (path) => {
  const broken: string[] = [];
  for (const [, link = ''] of proseOf(path).matchAll(/\]\(([^)\s]+)\)/g)) {
    if (/^https?:/.test(link)) continue;
    const [file = '', anchor] = link.split('#');
    const target = file === '' ? path : normalize(join(path, '..', file));
    const isThere = await access(join(ROOT, target)).then(
      () => true,
      () => false,
    );
    const isHeading = anchor === undefined || anchorsOf(target).includes(anchor);
    if (!isThere || !isHeading) broken.push(link);
  }
  expect(broken).toEqual([]);
});

test.each(paths)('every setting that %s names is one', (path) => {
  const secretFiles = SECRETS.map((name) => `${name}_FILE`);
  const known = new Set([...Object.keys(settings.shape), ...secretFiles, ...READ_ELSEWHERE]);
  const named = pages.get(path)?.match(/\b(?:OPENAI|REDIS|BATCHWRIGHT)_[A-Z_]*[A-Z]\b/g) ?? [];
  expect(named.filter((name) => !known.has(name))).toEqual([]);
});

/** Without its blocks: what looks like a link there is none. */
function proseOf(path: string): string {
  return (pages.get(path) ?? '').replaceAll(/^```.*?^```$/gms, '');
}

/** What a heading is called in a link to it. */
function anchorsOf(path: string): string[] {
  return [...proseOf(path).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
