/** What adopt takes as it is, and what it refuses before anything is written. */

import { describe, expect, test } from 'vitest';

import { otherTool } from '../support/other-tool.ts';
import type { Place } from '../support/program.ts';
import { asInput, readResult, requestLine } from '../support/sets.ts';
import { openScene } from './scene.ts';

const LINES = Array.from({ length: 90 }, (_, index) => requestLine(`r-${index}`));

/** Virtual time stands still, so that batches stay alive. */
const STILL = { clock: 'manual' } as const;

const HOUR_MS = 3_600_000;

function adoptArgs(place: Place, batchIds: readonly string[]): string[] {
  return ['adopt', ...batchIds, '-o', place.outputPath];
}

describe('files that break the rules of a run', () => {
  test('are taken as they are: doubled keys, other newlines, no newline at the end', async () => {
    const odd = [
      `{"extra":1,"extra":2,${requestLine('twice').slice(1)}`,
      requestLine('é'),
      requestLine('last'),
    ];
    const { place, simulator } = await openScene([]);
    const id = await otherTool(simulator.url).send(odd.join('\r\n'));
    const ended = await place.command(adoptArgs(place, [id]));
    expect(ended.code, ended.stderr).toBe(0);
    const result = await readResult(place.outputPath);
    expect(result.map((line) => line.custom_id)).toEqual(['twice', 'é', 'last']);
    expect(result.map((line) => line.response?.status_code)).toEqual([200, 200, 200]);
  });

  test('are refused by file and line where no answer could be told to be a line’s', async () => {
    const { place, simulator } = await openScene([], STILL);
    const tool = otherTool(simulator.url);
    const [one, two] = [requestLine('same'), requestLine('same', 'gpt-4o')];
    const files = [
      await tool.upload(asInput([requestLine('a'), one])),
      await tool.upload(asInput([requestLine('b'), two, requestLine('c'), requestLine('c')])),
      await tool.upload(asInput([JSON.stringify({ url: '/v1/chat/completions' })])),
    ];
    const ids: string[] = [];
    for (const fileId of files) ids.push(await tool.create(fileId));
    const ended = await place.command(adoptArgs(place, ids));
    expect(ended.code, ended.stdout).toBe(4);
    expect(ended.stderr).toContain(`line 2: in ${files[1]}: line 2 of ${files[0]} has the same`);
    expect(ended.stderr).toContain(`line 4: in ${files[1]}: line 3 of ${files[1]} has the same`);
    expect(ended.stderr).toContain(`line 1: in ${files[2]}: custom_id is missing`);
  });
});

describe('batches that cannot be taken over', () => {
  test('are all named at once, with why', async () => {
    const { place, simulator } = await openScene([], STILL);
    const tool = otherTool(simulator.url);
    const broken = await tool.send('{"custom_id":"x"}\n');
    await simulator.controls.advance(HOUR_MS);
    const gone = await tool.upload(asInput(LINES));
    const orphan = await tool.create(gone);
    await simulator.controls.advance(HOUR_MS);
    await tool.deleteFile(gone);
    const unknown = `batch_${'0'.repeat(32)}`;
    const ended = await place.command(adoptArgs(place, [broken, orphan, unknown]));
    expect(ended.code).toBe(4);
    expect(ended.stderr).toMatch(new RegExp(`${broken}: it failed validation .*nothing`));
    expect(ended.stderr).toMatch(new RegExp(`${orphan}: its input file ${gone} is gone`));
    expect(ended.stderr).toMatch(new RegExp(`${unknown}: the provider knows no such batch`));
    expect((await place.command(['list'])).stdout).toBe('');
  });

  test('are refused with the name of the job that has them, beside all others', async () => {
    const { place, simulator } = await openScene(LINES);
    expect((await place.command(place.runArgs())).code).toBe(0);
    const job = (await place.jobFolder()).split('/').at(-1) ?? '';
    const ids = simulator.controls.batches().map(({ id }) => id);
    const unknown = `batch_${'0'.repeat(32)}`;
    const ended = await place.command(adoptArgs(place, [...ids, unknown]));
    expect(ended.code).toBe(4);
    for (const id of ids) expect(ended.stderr).toContain(`${id}: the job ${job} of this data`);
    expect(ended.stderr).toContain(`${unknown}: the provider knows no such batch`);
  });

  test('are refused as no ids before anybody is asked', async () => {
    const { place, simulator } = await openScene([]);
    const ended = await place.command(adoptArgs(place, ['../files']));
    expect([ended.code, simulator.ledger.calls()]).toEqual([2, {}]);
  });
});
