import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { settings } from '../../config/schema.ts';

const NAMES = Object.keys(settings.shape) as (keyof typeof settings.shape)[];

const documented = NAMES.map((name) => {
  const schema = settings.shape[name];
  const value = schema.safeParse(undefined);
  const byDefault = value.success ? String(value.data ?? '') : '';
  return { name, byDefault, meaning: schema.description ?? '' };
});

test.each(['docs/settings.md', '.env.example'])('%s names every setting, and no other', (file) => {
  const own = /\b(?:OPENAI|REDIS|BATCHWRIGHT)_[A-Z_]*[A-Z]\b/g;
  const names = [...read(file).matchAll(own)].map(([name]) => name.replace(/_FILE$/, ''));
  const known = new Set<string>([...NAMES, 'BATCHWRIGHT_FILES']);
  expect(names.filter((name) => !known.has(name))).toEqual([]);
  expect(NAMES.filter((name) => !names.includes(name))).toEqual([]);
});

describe('every setting', () => {
  test('has a meaning that is a sentence', () => {
    for (const { name, meaning } of documented) expect(meaning, name).toMatch(/^[A-Z].*\.$/);
  });

  test('stands in docs/settings.md with its default and its meaning, in the same order', () => {
    const rows = read('docs/settings.md').match(/^\| `[A-Z_]+` .*$/gm);
    const shown = documented.map(({ name, byDefault, meaning }) => {
      return `| \`${name}\` | ${byDefault === '' ? '–' : `\`${byDefault}\``} | ${meaning} |`;
    });
    expect(rows).toEqual(shown);
  });

  test('stands in .env.example with its default under its meaning, in the same order', () => {
    const entries = read('.env.example').match(/^# .*\n# [A-Z_]+=.*$/gm);
    const shown = documented.map(({ name, byDefault, meaning }) => {
      return `# ${meaning}\n# ${name}=${byDefault}`;
    });
    expect(entries).toEqual(shown);
  });
});

function read(file: string): string {
  return readFileSync(join(import.meta.dirname, '..', '..', file), 'utf8');
}
