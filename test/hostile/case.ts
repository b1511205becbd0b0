/** One seed: the real program against a hostile server, killed in the middle for every other. */

import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { makePlace } from '../support/program.ts';
import type { Ended, OwnedPlace } from '../support/program.ts';
import { MAX_ATTEMPTS, wrongWith } from './audit.ts';
import { requestSet } from './request-set.ts';
import { CREATE_TIMEOUT_MS, startHostileServer } from './server.ts';
import type { HostileServer } from './server.ts';

export interface CaseReport {
  readonly seed: number;
  /** Sentences; empty where all is well. */
  readonly wrong: readonly string[];
  readonly requests: number;
  readonly batches: number;
  readonly succeeded: number;
  readonly killed: boolean;
  /** Kinds of mischief that happened. */
  readonly mischief: ReadonlyMap<string, number>;
}

/** No case needs so long: what takes longer hangs. */
const PATIENCE_MS = 180_000;

const ENV = {
  BATCHWRIGHT_POLL_INTERVAL_MS: '30',
  BATCHWRIGHT_ATTEMPT_PAUSE_MS: '30',
  BATCHWRIGHT_RETRY_BASE_MS: '20',
  BATCHWRIGHT_RETRY_MAX_MS: '200',
  BATCHWRIGHT_CREATE_TIMEOUT_MS: String(CREATE_TIMEOUT_MS),
  BATCHWRIGHT_CREATE_SETTLE_MS: '1000',
};

const RUN = ['--json', '--max-requests', '15', '--on-invalid', 'skip', '--max-attempts'].concat(
  String(MAX_ATTEMPTS),
);

/** Runs the seed's case to its end. Everything that it started is gone when it resolves. */
export async function runCase(seed: number): Promise<CaseReport> {
  const server = await startHostileServer(seed);
  const place = await makePlace(server.baseUrl, ENV);
  try {
    const { chance } = server.mischief;
    const { input, lines } = requestSet(chance);
    await place.writeInput(input);
    const { ended, killed } = await runProgram(place, server);
    // A run does not wait for ever to delete files; the same command goes on with that.
    const states = await place.states().catch(() => null);
    if (states?.get('job')?.status === 'merged') await place.command(place.runArgs(...RUN));
    const result = await readFile(place.outputPath, 'utf8').catch(() => null);
    const { ledger } = server;
    const wrong = [
      ...wrongEnd(ended),
      ...wrongWith(result, lines, ledger),
      ...(await leftovers(place)),
    ];
    const succeeded = (result ?? '').split('\n').filter((line) => line.includes('"seed"')).length;
    const requests = lines.filter((line) => line.customId !== null).length;
    const mischief = server.mischief.counts();
    return { seed, wrong, requests, batches: ledger.batches.length, succeeded, killed, mischief };
  } finally {
    await place.clear();
    await server.close();
  }
}

/** One run, or one that is killed at a request of the seed's choice and the same command again. */
async function runProgram(place: OwnedPlace, server: HostileServer) {
  const { chance } = server.mischief;
  const args = place.runArgs(...RUN);
  const first = place.start(args);
  const killAt = chance.is(0.5, 'killed') ? chance.whole(1, 70, 'kill at') : 0;
  server.onRequest = (number) => {
    if (number === killAt) first.signal('SIGKILL');
  };
  const ended = await inTime(first.ended, () => first.kill());
  if (ended.code !== null || killAt === 0) return { ended, killed: false };
  const second = place.start(args);
  return { ended: await inTime(second.ended, () => second.kill()), killed: true };
}

async function inTime(ended: Promise<Ended>, kill: () => Promise<void>): Promise<Ended> {
  const timer = setTimeout(() => void kill(), PATIENCE_MS);
  return ended.finally(() => clearTimeout(timer));
}

function wrongEnd({ code, stdout, stderr }: Ended): string[] {
  if (code === 0 || code === 3) return [];
  const last = stdout.split('\n').slice(-12).join('\n');
  return [`it ended with ${code ?? 'a signal'}: ${stderr}\n${last}`];
}

/** What a finished run must not leave, and the proof from its bytes. */
async function leftovers(place: OwnedPlace): Promise<string[]> {
  const wrong: string[] = [];
  const verified = await place.command(['verify', place.outputPath]);
  if (verified.code !== 0) wrong.push(`verify: ${verified.stderr}`);
  for (const folder of ['scratch', 'store/.tmp']) {
    const names = await readdir(join(place.dataDir, folder)).catch(() => []);
    wrong.push(...names.map((name) => `${folder}/${name} is left`));
  }
  const names = await readdir(place.folder);
  wrong.push(...names.filter((name) => name.endsWith('.tmp')).map((name) => `${name} is left`));
  const states = await place.states().catch(() => null);
  const status = states?.get('job')?.status ?? 'unknown';
  if (status !== 'done') wrong.push(`the job is ${status}`);
  return wrong;
}
