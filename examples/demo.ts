/**
 * The demo: a synthetic classification set goes through the real path (real files, a real Redis,
 * the real SDK over real HTTP) against the simulator, at no cost.
 *
 * `npm run demo` writes to ./demo-output and prints what a user would see.
 */

import { spawn } from 'node:child_process';
import { mkdir, open, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startSimulator } from '../src/simulator/simulator.ts';
import { makeTickets } from './tickets.ts';

const REQUESTS = 4_000;

/** How many result lines are shown. */
const SHOWN_LINES = 5;

const folder = join(process.cwd(), 'demo-output');
const requestsPath = join(folder, 'requests.jsonl');
const resultPath = join(folder, 'result.jsonl');

await rm(folder, { recursive: true, force: true });
await mkdir(folder, { recursive: true });
await writeFile(requestsPath, makeTickets(REQUESTS, 7));
heading(`${REQUESTS} support tickets, two models, a few broken lines → ${requestsPath}`);

const simulator = await startSimulator({
  seed: 7,
  timeFactor: 3_600,
  flakiness: { permanentRate: 0.002, retryableRate: 0.01 },
});
try {
  await batchwright('plan', requestsPath, '--max-requests', '500');
  await batchwright('plan', requestsPath, '--max-requests', '500', '--on-invalid', 'skip');
  const options = ['--max-requests', '500', '--on-invalid', 'skip', '--poll-interval-ms', '300'];
  await batchwright('run', requestsPath, '-o', resultPath, ...options);
  heading(`the first ${SHOWN_LINES} answers, in the order of the requests`);
  for (const line of await firstLines(resultPath)) say(`  ${shortly(line)}`);
  await batchwright('errors', resultPath);
  await batchwright('verify', resultPath);
  const { batchesCreated, requestsPaid, requestsPaidTwice } = simulator.ledger.totals();
  heading('what the simulated provider says');
  say(
    `  ${batchesCreated} batches, ${requestsPaid} requests paid, ${requestsPaidTwice} paid twice`,
  );
} finally {
  await simulator.close();
}

/** Runs the command as a user would, in the demo's folder. */
async function batchwright(...args: string[]): Promise<void> {
  heading(`batchwright ${args.join(' ').replaceAll(`${folder}/`, '')}`);
  const main = join(import.meta.dirname, '..', 'src', 'cli', 'main.ts');
  const child = spawn(process.execPath, [main, ...args], {
    cwd: folder,
    stdio: 'inherit',
    env: { ...process.env, OPENAI_BASE_URL: simulator.url, BATCHWRIGHT_ATTEMPT_PAUSE_MS: '500' },
  });
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => {
      if (code === 1) reject(new Error(`batchwright ${args[0]} broke`));
      else resolve(say(`  (exit code ${code})`));
    });
  });
}

/** The id and the classified intent of one answer line. */
function shortly(line: string): string {
  const answer = JSON.parse(line) as {
    custom_id: string;
    response: { body: { model: string; choices?: { message: { content: string } }[] } } | null;
  };
  const body = answer.response?.body;
  return `${answer.custom_id}  ${body?.model}  ${body?.choices?.[0]?.message.content ?? 'failed'}`;
}

async function firstLines(path: string): Promise<string[]> {
  const file = await open(path);
  try {
    const lines: string[] = [];
    for await (const line of file.readLines()) {
      lines.push(line);
      if (lines.length === SHOWN_LINES) break;
    }
    return lines;
  } finally {
    await file.close();
  }
}

function heading(text: string): void {
  say(`\n\u001B[1m▸ ${text}\u001B[0m`);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
