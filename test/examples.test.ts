import { execFile, spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

import { expect, onTestFinished, test } from 'vitest';

import { eventually } from './support/program.ts';
import { call, openServiceScene } from './support/service.ts';
import { asInput, expectAnswered, mixedLines, resultLines } from './support/sets.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

const run = promisify(execFile);
const EXAMPLES = join(import.meta.dirname, '..', 'examples');
const SECRET = `whsec_${Buffer.alloc(32, 'example').toString('base64')}`;

/** What the example says on stdout; rejects where it fails. */
async function said(program: string, args: string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
  const { stdout } = await run(program, args, { env: { ...process.env, ...env } });
  return stdout;
}

test("the example with OpenAI's SDK runs a batch", async () => {
  const text = await said(process.execPath, [join(EXAMPLES, 'openai-sdk.ts')]);
  expect(text).toMatch(
    /^batch_\w{26} is completed: \{ total: 500, completed: 4\d\d, failed: \d+ \}/,
  );
  expect(text).toMatch(/^file-out\w{26} begins with \{.*"custom_id":"ticket-1"/m);
  expect(text).toMatch(/^file-err\w{26} begins with \{/m);
});

test("the example with Vercel's AI SDK runs a batch", async () => {
  const text = await said(process.execPath, [join(EXAMPLES, 'ai-sdk.ts')]);
  expect(text).toMatch(/^batch_\w{26} is completed: /);
  expect(text).toMatch(/card succeeded\ntransfer succeeded\nexchange rate succeeded\n$/);
});

test('the example with curl submits, waits and fetches, and does so again at no cost', async () => {
  const { url, simulator } = await openServiceScene();
  const folder = await temporaryFolder();
  const [input, output] = [join(folder, 'in.jsonl'), join(folder, 'out.jsonl')];
  const lines = mixedLines(40);
  await writeFile(input, asInput(lines));
  const submit = () =>
    said(join(EXAMPLES, 'submit-with-curl.sh'), [input, output], { BATCHWRIGHT_URL: url });
  expect(JSON.parse(await submit())).toMatchObject({ object: 'failure_groups', failed: 0 });
  expectAnswered(resultLines(await readFile(output, 'utf8')), lines);
  await submit();
  expect(simulator.ledger.totals().requestsPaid).toBe(lines.length);
});

test('the example of a receiver hears of a job, and believes no forgery', async () => {
  const { url } = await openServiceScene({ env: { BATCHWRIGHT_WEBHOOK_SECRET: SECRET } });
  const receiver = spawn(process.execPath, [join(EXAMPLES, 'webhook-receiver.ts')], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, BATCHWRIGHT_WEBHOOK_SECRET: SECRET },
  });
  onTestFinished(() => void receiver.kill());
  const lines: string[] = [];
  createInterface({ input: receiver.stdout }).on('line', (line) => lines.push(line));
  await eventually(() => expect(lines).toHaveLength(1));
  const address = /^callback_url=(\S+)$/.exec(lines[0] ?? '')?.[1] ?? '';
  const forged = await call('POST', address, { body: { type: 'job.completed' } });
  expect(forged.status).toBe(400);
  const made = await call('POST', `${url}/v1/jobs?callback_url=${encodeURIComponent(address)}`, {
    headers: { 'content-type': 'application/jsonl' },
    body: asInput(mixedLines(3)),
  });
  await eventually(() => expect(lines).toHaveLength(2));
  expect(lines[1]).toBe(`${String(made.json['id'])} is completed (job.completed)`);
});
