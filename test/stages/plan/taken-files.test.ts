/** Files that others sent: each a chunk as it stands, or a further attempt at another one's. */

import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { chunkIdOf } from '../../../src/domain/ids.ts';
import { LineIndex } from '../../../src/jsonl/line-index.ts';
import type { TakenOutcome } from '../../../src/stages/plan/taken-files.ts';
import { planTakenFiles } from '../../../src/stages/plan/taken-files.ts';
import { JOB, SPEC } from '../../domain/support/samples.ts';
import { requestLine } from '../../support/sets.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

interface Planned {
  readonly outcome: TakenOutcome;
  readonly folder: string;
}

async function planOf(...texts: readonly (string | Buffer)[]): Promise<Planned> {
  const folder = await temporaryFolder();
  const outputFolder = join(folder, 'out');
  await mkdir(outputFolder);
  const files = await Promise.all(
    texts.map(async (text, index) => {
      const path = join(folder, `input-${index}`);
      await writeFile(path, text);
      return { path, name: `file-${index}` };
    }),
  );
  const limits = { ...SPEC.limits, maxLineBytes: 10_000 };
  const outcome = await planTakenFiles({ files, outputFolder, job: JOB, limits, maxReported: 10 });
  return { outcome, folder: outputFolder };
}

function plannedOf({ outcome }: Planned) {
  if (outcome.kind !== 'planned') throw new Error(JSON.stringify(outcome));
  return outcome;
}

function complaintsOf({ outcome }: Planned): [number, string, string][] {
  if (outcome.kind !== 'refused') throw new Error('it was planned');
  return outcome.rejected.map(({ line, code, message }) => [line, code, message]);
}

async function chunkFiles(folder: string, index: number) {
  const read = async (name: string) => readFile(join(folder, chunkIdOf(index), name));
  const lines = new LineIndex(await read('lines.idx'), await read('ids.bin'));
  return { requests: await read('requests.jsonl'), lines };
}

const asText = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join('');
const A = ['a1', 'a2', 'a3'].map((id) => requestLine(id));
const B = ['b1', 'b2'].map((id) => requestLine(id, 'gpt-4o'));

describe('files that share no line', () => {
  it('are a chunk each, in their order, with their lines numbered over all of them', async () => {
    const planned = await planOf(asText(B), asText(A));
    const { plan, files } = plannedOf(planned);
    expect(plan.chunks).toMatchObject([
      { id: 'c000000', model: 'gpt-4o', requests: 2, firstLine: 1, lastLine: 2 },
      { id: 'c000001', model: 'gpt-4o-mini', requests: 3, firstLine: 3, lastLine: 5 },
    ]);
    expect(plan.models).toEqual(['gpt-4o', 'gpt-4o-mini']);
    expect(plan.counts).toMatchObject({ lines: 5, requests: 5, rejected: 0, insertedIds: 0 });
    const joined = createHash('sha256')
      .update(asText([...B, ...A]))
      .digest('hex');
    expect(plan.source).toEqual({
      sizeBytes: Buffer.byteLength(asText([...B, ...A])),
      sha256: joined,
    });
    expect(files).toMatchObject([
      { chunk: 0, isWhole: true, requests: 2 },
      { chunk: 1, isWhole: true, requests: 3 },
    ]);
    const { requests, lines } = await chunkFiles(planned.folder, 1);
    expect(requests.toString()).toBe(asText(A));
    expect([0, 1, 2].map((index) => lines.idBytes(index).toString())).toEqual(['a1', 'a2', 'a3']);
    expect([0, 1, 2].map((index) => lines.line(index))).toEqual([3, 4, 5]);
  });

  it('may hold several models, doubled keys, blank lines and escaped ids', async () => {
    const odd = [
      '',
      requestLine('m1', 'gpt-4o'),
      ' \t\r',
      `{"x":1,"x":2,${requestLine('m2').slice(1)}\r`,
      String.raw`{"custom_id":"caf\u00e9","url":"/v1/chat/completions","body":{}}`,
    ];
    const planned = await planOf(odd.join('\n'));
    const { plan } = plannedOf(planned);
    expect(plan.counts).toMatchObject({ lines: 5, blank: 2, requests: 3 });
    expect(plan.models).toEqual(['gpt-4o', 'gpt-4o-mini']);
    const { requests, lines } = await chunkFiles(planned.folder, 0);
    expect(requests.toString()).toBe(`${odd[1]}\n${odd[3]}\n${odd[4]}\n`);
    expect([0, 1, 2].map((index) => lines.idBytes(index).toString())).toEqual(['m1', 'm2', 'café']);
    expect([0, 1, 2].map((index) => lines.line(index))).toEqual([2, 4, 5]);
  });
});

describe('a file whose lines all stand in another one', () => {
  it('belongs to that one’s chunk, whichever comes first', async () => {
    const part = asText([A[2] ?? '', A[0] ?? '']);
    for (const texts of [
      [part, asText(A)],
      [asText(A), part],
    ]) {
      const { plan, files } = plannedOf(await planOf(...texts));
      expect(plan.chunks).toMatchObject([{ requests: 3 }]);
      expect(files.map(({ chunk }) => chunk)).toEqual([0, 0]);
      expect(files.map(({ isWhole }) => isWhole)).toEqual(texts.map((text) => text !== part));
    }
  });

  it('is the later one where both hold the same', async () => {
    const { plan, files } = plannedOf(await planOf(asText(A), asText(B), asText(A.toReversed())));
    expect(plan.chunks).toHaveLength(2);
    expect(files.map(({ chunk, isWhole }) => [chunk, isWhole])).toEqual([
      [0, true],
      [1, true],
      [0, false],
    ]);
  });

  it('is found in any cut of any set', async () => {
    const ids = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 8, unit: 'grapheme' }), {
      minLength: 1,
      maxLength: 30,
    });
    const property = fc.asyncProperty(ids, fc.nat(), async (names, seed) => {
      const lines = names.map((name) => requestLine(name));
      const some = lines.filter((_line, index) => (index * 7 + seed) % 3 === 0);
      const texts = some.length > 0 ? [asText(some), asText(lines)] : [asText(lines)];
      const planned = await planOf(...texts);
      expect(plannedOf(planned).plan.chunks).toHaveLength(1);
      const { requests } = await chunkFiles(planned.folder, 0);
      // Of twins the first stands for both.
      const expected = some.length === lines.length ? some : lines;
      expect(requests.toString()).toBe(asText(expected));
    });
    await fc.assert(property, { numRuns: 40 });
  });
});

describe('lines to which no answer could be told', () => {
  it('are named with their file and their number in it', async () => {
    const planned = await planOf(
      asText(A),
      asText([requestLine('a2', 'gpt-4o'), requestLine('c'), requestLine('c')]),
      asText(['{"custom_id":""}', '[]', '{', requestLine('d', 'm', { url: '/v1/embeddings' })]),
      Buffer.concat([Buffer.from('{"custom_id":"'), Buffer.from([0xff]), Buffer.from('"}\n')]),
      '\n',
      asText([requestLine('e', 'm', { url: '/v1/videos' }), requestLine('x'.repeat(20_000))]),
    );
    expect(complaintsOf(planned).map(([line, code]) => [line, code])).toEqual([
      [1, 'duplicate_custom_id'],
      [3, 'duplicate_custom_id'],
      [1, 'invalid_custom_id'],
      [2, 'invalid_json'],
      [3, 'invalid_json'],
      [4, 'mixed_url'],
      [1, 'invalid_json'],
      [2, 'not_an_object'],
      [1, 'unknown_url'],
      [2, 'line_too_long'],
    ]);
    const messages = complaintsOf(planned).map(([, , message]) => message);
    expect(messages[0]).toMatch(/^in file-1: line 2 of file-0 has the same custom_id/);
    expect(messages[1]).toMatch(/^in file-1: line 2 of file-1 has the same custom_id/);
    expect(messages[5]).toMatch(/^in file-2: url \/v1\/embeddings differs/);
  });
});
