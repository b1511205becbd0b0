import { expect, test } from 'vitest';
import { createCleaner } from '../../../src/adapters/openai/provider-text.ts';

test('the key is hidden as it is, URL-encoded and in base 64', () => {
  const key = 'sk-ä/b+c=0123456789';
  const clean = createCleaner(key);
  const spellings = [key, encodeURIComponent(key), Buffer.from(key).toString('base64')];
  expect(clean(spellings.join(' '))).toBe('[key] [key] [key]');
});

test('a key that was read with its line break is hidden without it', () => {
  const clean = createCleaner('sk-0123456789abcdef\n');
  expect(clean('bad key sk-0123456789abcdef.')).toBe('bad key [key].');
});

test('a bearer token is hidden though it is not our key', () => {
  expect(createCleaner('')('sent "bearer abc.def", thanks')).toBe('sent "Bearer [key]", thanks');
});

test('the placeholder key of a local server does not garble every word', () => {
  expect(createCleaner('e')('exceeded')).toBe('exceeded');
});

test('a key that would be cut at the bound is hidden before the cut', () => {
  const clean = createCleaner('sk-0123456789abcdef');
  expect(clean(`${'x'.repeat(995)}sk-0123456789abcdef`)).toBe(`${'x'.repeat(995)}[key]`);
});
