import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { openServiceScene } from '../support/service.ts';
import { resultLines } from '../support/sets.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { readPage, runCommands } from './page.ts';

const page = await readPage('docs/openai-door.md');

test('the commands of docs/openai-door.md run as they stand', async () => {
  const { url } = await openServiceScene();
  const folder = await temporaryFolder();
  const { code, stdout, stderr } = await runCommands(page.blocks('sh'), { folder, url });
  expect(code, `${stdout}\n${stderr}`).toBe(0);
  const output = resultLines(await readFile(join(folder, 'output.jsonl'), 'utf8'));
  expect(output.map((line) => line.custom_id)).toEqual(
    Array.from({ length: 20 }, (_, index) => `t-${index + 1}`),
  );
});

test('the TypeScript of docs/openai-door.md stands in the examples, which run', async () => {
  const examples = await Promise.all(
    ['openai-sdk', 'ai-sdk'].map((name) =>
      readFile(new URL(`../../examples/${name}.ts`, import.meta.url), 'utf8'),
    ),
  );
  const known = new Set(examples.join('\n').split('\n').map(trimmed));
  const blocks = page.blocks('ts');
  expect(blocks).toHaveLength(2);
  const lines = blocks.join('\n').split('\n').map(trimmed);
  expect(lines.filter((line) => !known.has(line))).toEqual([]);
});

function trimmed(line: string): string {
  return line.trim();
}
