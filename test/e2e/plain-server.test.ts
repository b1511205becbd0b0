/** The real command against a Batch server that nobody shaped after the project's own ideas. */

import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { openPlace } from '../support/command.ts';
import { type PlainServer, startPlainServer } from '../support/plain-batch-server.ts';

/** Below the pace of other tests: a batch needs two looks by id, and most looks go to the list. */
const QUICK = { BATCHWRIGHT_POLL_INTERVAL_MS: '20', BATCHWRIGHT_ATTEMPT_PAUSE_MS: '20' };

const MODELS = ['gpt-4o-mini', 'llama-3:8b/é'];

describe('run against a plain Batch server', () => {
  test('orders the answers of many chunks of two models, byte for byte', async () => {
    const server = await startPlainServer({ startWith: 12, failsFirst: (id) => id.endsWith('7') });
    const lines = Array.from({ length: 120 }, (_, index) => requestLine(index));

    const { code, result } = await run(server, lines, ['--max-live-batches', '6']);

    expect(code).toBe(0);
    const wanted = lines.map((line) => answerTo(server, idOf(line)));
    expect(result).toBe(wanted.map((answer) => `${answer}\n`).join(''));
    // With this many alive the list is asked, although it never says that a batch has ended.
    expect(server.calls.get('GET /batches')).toBeGreaterThan(0);
  });

  test('sends each request as it stands, once, and again only where it failed', async () => {
    const fails = (id: string): boolean => id.endsWith('7');
    const server = await startPlainServer({ failsFirst: fails });
    const lines = Array.from({ length: 30 }, (_, index) => requestLine(index));

    const { code } = await run(server, lines);

    expect(code).toBe(0);
    const again = lines.filter((line) => fails(idOf(line)));
    expect(again).toHaveLength(3);
    expect(sentLines(server).toSorted()).toEqual([...lines, ...again].toSorted());
    expect(batchesPerUpload(server)).toEqual(server.batches.map(() => 1));
    expect(server.filesLeft()).toEqual([]);
  });

  test('adopts batches whose creates were reset, also where the list shows them late', async () => {
    const server = await startPlainServer({ lostCreates: 3, blindLists: 2 });
    const lines = Array.from({ length: 40 }, (_, index) => requestLine(index));

    const { code, result, notices } = await run(server, lines);

    expect(code).toBe(0);
    expect(notices.filter((notice) => notice === 'batch_adopted')).toHaveLength(3);
    expect(server.uploads.size).toBe(4);
    expect(batchesPerUpload(server)).toEqual([1, 1, 1, 1]);
    expect([...server.answers.values()].filter((answers) => answers.length > 1)).toEqual([]);
    const wanted = lines.map((line) => answerTo(server, idOf(line)));
    expect(result).toBe(wanted.map((answer) => `${answer}\n`).join(''));
  });
});

interface Finished {
  readonly code: number | null;
  readonly result: string;
  /** Codes of what operators were told. */
  readonly notices: readonly string[];
}

/** One `batchwright run` with ten requests a chunk, in folders of its own. */
async function run(
  server: PlainServer,
  lines: readonly string[],
  flags: readonly string[] = [],
): Promise<Finished> {
  const place = await openPlace(server.baseUrl, () => server.close());
  await place.writeInput(lines.map((line) => `${line}\n`).join(''));
  const args = place.runArgs('--json', '--max-requests', '10', ...flags);
  const { code, stdout, stderr } = await place.command(args, QUICK);
  expect(stderr, stdout).toBe('');
  const told = stdout.split('\n').filter((line) => line.includes('"type":"notice"'));
  return {
    code,
    result: await readFile(place.outputPath, 'utf8'),
    notices: told.map((line) => (JSON.parse(line) as { code: string }).code),
  };
}

/** Numbers, separators and spaces that a parser would not give back as they were. */
function requestLine(index: number): string {
  const id = ['é', '\\u00e9', '\u2028', ' ', '\\/\\"'][index % 5] ?? '';
  const model = MODELS[index % MODELS.length];
  return (
    `{"custom_id": "${id}-${index}","method":"POST","url":"/v1/chat/completions",` +
    `"body":{"model":"${model}","seed":12345678901234567890,"temperature":1.0,` +
    `"messages":[{"role":"user","content":"Zürich \u2028 😀 \u2029 ${index}"}]} }`
  );
}

function idOf(line: string): string {
  return (JSON.parse(line) as { custom_id: string }).custom_id;
}

/** The last answer that the server gave to the request. */
function answerTo(server: PlainServer, id: string): string {
  return server.answers.get(id)?.at(-1) ?? `no answer to ${id}`;
}

function sentLines(server: PlainServer): string[] {
  const files = [...server.uploads.values()].map((bytes) => bytes.toString());
  return files.flatMap((file) => file.split('\n').filter((line) => line !== ''));
}

function batchesPerUpload(server: PlainServer): number[] {
  return [...server.uploads.keys()].map(
    (id) => server.batches.filter((batch) => batch.inputFileId === id).length,
  );
}
