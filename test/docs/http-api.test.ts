import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { jobStatuses } from '../../src/http/contract/job-shapes.ts';
import { createJob } from '../../src/http/contract/jobs.ts';
import { openServiceScene } from '../support/service.ts';
import { resultLines } from '../support/sets.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { readPage, runCommands } from './page.ts';
import { problemTable } from './problem-table.ts';

const page = await readPage('docs/http-api.md');

test('the commands of docs/http-api.md run as they stand', async () => {
  const { url, simulator } = await openServiceScene({ simulator: { timeFactor: 200 } });
  simulator.controls.setFault({ name: 'line_error_400', match: 't-7' });
  const folder = await temporaryFolder();
  const { code, stdout, stderr } = await runCommands(page.blocks('sh'), { folder, url });
  expect(code, `${stdout}\n${stderr}`).toBe(0);
  const read = (name: string) => readFile(join(folder, name), 'utf8');
  const ids = resultLines(await read('result.jsonl')).map((line) => line.custom_id);
  expect(ids).toEqual(Array.from({ length: 20 }, (_, index) => `t-${index + 1}`));
  expect(resultLines(await read('failed.jsonl')).map((line) => line.custom_id)).toEqual(['t-7']);
  expect(stdout).toContain('"would_be_sent":true');
  expect(stdout).toContain('"name":"retry of tickets"');
  expect(stdout).toContain('"paused":{"code":');
  expect(stdout).toMatch(/"deleted":true\}$/);
});

test('docs/http-api.md names every code: node test/docs/problem-table.ts prints the table', () => {
  expect(page.text).toContain(problemTable());
});

test('docs/http-api.md names every status of a job and every parameter of a submission', () => {
  const named = (words: readonly string[]) => words.filter((word) => !page.text.includes(word));
  expect(named(jobStatuses.options.map((status) => `| \`${status}\` |`))).toEqual([]);
  expect(named(Object.keys(createJob.query.shape).map((name) => `\`${name}`))).toEqual([]);
});
