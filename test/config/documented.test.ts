import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { settings } from '../../config/schema.ts';

const root = join(import.meta.dirname, '..', '..');

test.each(['docs/settings.md', '.env.example'])('%s names every setting, and no other', (file) => {
  const text = readFileSync(join(root, file), 'utf8');
  const own = /\b(?:OPENAI|REDIS|BATCHWRIGHT)_[A-Z_]*[A-Z]\b/g;
  const named = new Set([...text.matchAll(own)].map(([name]) => name.replace(/_FILE$/, '')));
  expect([...named].toSorted()).toEqual(Object.keys(settings.shape).toSorted());
});
