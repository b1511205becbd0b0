/** One job on a service and two workers that are struck, and what must be true afterwards. */

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { OwnRedis } from '../outages/own-redis.ts';
import { Fleet, type ShownJob } from '../support/fleet.ts';
import { unpaidOrTwice } from '../support/paid-once.ts';
import { makePlace, type OwnedPlace, sha256 } from '../support/program.ts';
import { asInput, requestLine, resultLines } from '../support/sets.ts';
import { Member } from './member.ts';
import { type Strike, wordsOf } from './strikes.ts';

export interface RoundSize {
  readonly requestsPerChunk: number;
  readonly seed: number;
  /** How long a batch is in progress, in real milliseconds; each is varied by up to half. */
  readonly batchMs: number;
  /** BATCHWRIGHT_CREATE_SETTLE_MS. */
  readonly settleMs: number;
  /** When the round is given up. */
  readonly deadlineMs: number;
  /** Ends the round before its time: it rejects when its processes are gone. */
  readonly signal?: AbortSignal;
}

export interface Round {
  /** Sentences; empty where all is well. */
  readonly faults: readonly string[];
  /** Of the result; null where there is none. */
  readonly sha256: string | null;
  /** The strikes that came before the job was over. */
  readonly strikes: readonly Strike[];
  /** Batches made by each worker, at least. */
  readonly creates: readonly number[];
  /** What the processes said. */
  readonly said: string;
}

export const CHUNKS = 40;
const LIVE_BATCHES = 4;
const LOOK_MS = 20;

/** Virtual seconds in a real one; the window is so wide that no stop lets a batch expire. */
const TIME_FACTOR = 3_600;
const WINDOW_SECONDS = 90 * 86_400;

/** One model in four is another: 10 and 30 chunks, which the merge has to interleave. */
function linesOf(requestsPerChunk: number): string[] {
  return Array.from({ length: CHUNKS * requestsPerChunk }, (_, index) =>
    requestLine(`r-${index}`, index % 4 === 0 ? 'gpt-4o' : 'gpt-4o-mini'),
  );
}

/** Runs the job under the strikes. Rejects only where a fleet cannot even begin. */
export async function runRound(
  size: RoundSize,
  strikes: readonly Strike[],
  say: (line: string) => void = () => undefined,
): Promise<Round> {
  const inProgress = (size.batchMs / 1_000) * TIME_FACTOR;
  const simulator = await startSimulator({
    seed: size.seed,
    timeFactor: TIME_FACTOR,
    windowSeconds: WINDOW_SECONDS,
    pace: { validating: inProgress / 10, inProgress, perRequest: 0, finalizing: 20 },
  });
  const redis = await OwnRedis.start();
  const place = await makePlace(simulator.url, {
    REDIS_URL: redis.url,
    BATCHWRIGHT_MAX_LIVE_BATCHES: String(LIVE_BATCHES),
    BATCHWRIGHT_CREATE_SETTLE_MS: String(size.settleMs),
  });
  try {
    return await runIn({ place, simulator }, size, strikes, say);
  } finally {
    await place.clear();
    await redis.close();
    await simulator.close();
  }
}

interface World {
  readonly place: OwnedPlace;
  readonly simulator: Simulator;
}

async function runIn(
  world: World,
  size: RoundSize,
  strikes: readonly Strike[],
  say: (line: string) => void,
): Promise<Round> {
  const { simulator } = world;
  const lines = linesOf(size.requestsPerChunk);
  const fleet = await Fleet.in(world);
  const startWorker = () => fleet.startWorker(['--port', '0']);
  const workers = [
    new Member('first worker', startWorker),
    new Member('second worker', startWorker),
  ];
  const members = [new Member('service', () => fleet.startService()), ...workers];
  await Promise.all(members.map((member) => member.begin()));
  const job = await fleet.submit(asInput(lines), `?max_requests=${size.requestsPerChunk}`);

  const over = new AbortController();
  const striking = strike(members, strikes, simulator, over.signal, say);
  const shown = await untilOver(fleet, job, size);
  over.abort();
  const faults: string[] = [];
  const came = await striking.catch((error: unknown) => {
    faults.push(`the strikes ended early: ${String(error)}`);
    return [];
  });
  size.signal?.throwIfAborted();
  await Promise.all(members.map((member) => member.isBack()));
  if (shown?.status !== 'completed') {
    faults.push(`the job is ${JSON.stringify(shown)}`);
    return { faults, sha256: null, strikes: came, creates: [], said: saidBy(members) };
  }
  const result = await fleet.result(job);
  for (const worker of workers) await worker.count();
  const verified = await world.place.command(['verify', job]);
  if (verified.code !== 0) faults.push(`verify says: ${verified.stdout}${verified.stderr}`);
  for (const fault of await Promise.all(members.map((member) => member.leave()))) {
    if (fault !== null) faults.push(fault);
  }
  faults.push(...wrongIn(String(result), lines), ...(await leftBy(world, lines.length)));
  if (shown.chunks.total !== CHUNKS) faults.push(`there are ${shown.chunks.total} chunks`);
  const creates = workers.map((worker) => worker.creates);
  if (creates.includes(0)) faults.push(`one worker did nothing: ${creates.join(' and ')} batches`);
  return { faults, sha256: sha256(result), strikes: came, creates, said: saidBy(members) };
}

/** One strike after the other, whoever is away being left alone; until the job is over. */
async function strike(
  members: readonly Member[],
  strikes: readonly Strike[],
  { controls }: Simulator,
  over: AbortSignal,
  say: (line: string) => void,
): Promise<Strike[]> {
  const came: Strike[] = [];
  const due = [...strikes];
  while (due.length > 0 && !over.aborted) {
    const there = new Map(members.map((member) => [member.name, member]));
    for (const { name, isAway } of members) if (isAway) there.delete(name);
    const one = due.find(({ victim }) => there.has(victim));
    const victim = one && there.get(one.victim);
    if (one === undefined || victim === undefined) {
      await delay(LOOK_MS);
      continue;
    }
    if (one.kind === 'kill') await victim.count();
    const next = controls.eventCount() + one.afterEvents;
    while (controls.eventCount() < next && !over.aborted) await delay(LOOK_MS);
    await delay(one.afterMs);
    if (over.aborted) break;
    say(`${wordsOf(one)}, after ${controls.batches().length} batches`);
    await victim.hit(one);
    due.splice(due.indexOf(one), 1);
    came.push(one);
  }
  return came;
}

/** The job when its result is there, or as it was last seen when time is up. */
async function untilOver(
  fleet: Fleet,
  job: string,
  { deadlineMs, signal }: RoundSize,
): Promise<ShownJob | null> {
  const deadline = performance.now() + deadlineMs;
  let shown: ShownJob | null = null;
  while (performance.now() < deadline) {
    if (signal?.aborted === true) break;
    // While the service is away nobody answers.
    shown = await fleet.look(job).catch(() => shown);
    if (shown?.status === 'failed' || (shown?.result ?? null) !== null) return shown;
    await delay(LOOK_MS);
  }
  return shown;
}

/** Whether each request has its one success in its place, without a trust in any manifest. */
function wrongIn(result: string, requests: readonly string[]): string[] {
  const answers = resultLines(result);
  const wrong = requests.flatMap((text, index) => {
    const { custom_id: id, body } = JSON.parse(text) as { custom_id: string; body: object };
    const answer = answers[index];
    const model = answer?.response?.body.model;
    const isRight = answer?.custom_id === id && answer.response?.status_code === 200;
    return isRight && 'model' in body && body.model === model ? [] : [`no answer to ${id}`];
  });
  if (answers.length !== requests.length) wrong.push(`there are ${answers.length} answers`);
  return wrong.slice(0, 10);
}

async function leftBy({ place, simulator }: World, requests: number): Promise<string[]> {
  const wrong = unpaidOrTwice(simulator, requests);
  const files = simulator.controls.files();
  if (files.length > 0) wrong.push(`${files.length} files are left at the provider`);
  const status = (await place.states()).get('job')?.status;
  if (status !== 'done') wrong.push(`the job is ${status}`);
  const scratch = await readdir(join(place.dataDir, 'scratch'));
  if (scratch.length > 0) wrong.push(`the scratch holds ${scratch.join()}`);
  return wrong;
}

function saidBy(members: readonly Member[]): string {
  return members.map((member) => `--- ${member.name}\n${member.said()}`).join('');
}
