/**
 * Several processes on one job, processes that stand still at the wrong moment, a Redis that
 * forgets or dies, and a provider whose answers get lost: one batch for each input file, and
 * each request paid once.
 */

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';

import type { FaultSwitch } from '../../src/simulator/faults/switches.ts';
import type { Simulator } from '../../src/simulator/simulator.ts';
import { type Ended, eventually, type Place } from '../support/program.ts';
import { expectAnswered, expectPaidOnce, mixedLines, readResult } from '../support/sets.ts';
import { frozenAfterDecision, ONE_CHUNK, untilStopped } from './frozen.ts';
import { openScene } from './scene.ts';

const LINES = mixedLines(150);
const OPTIONS = ['--max-requests', '20'];

test('two runs of the same command at once share one job and its batches', async () => {
  const { place, simulator } = await openScene(LINES);
  const both = await Promise.all([1, 2].map(() => place.command(place.runArgs(...OPTIONS))));
  expectAllOk(both);
  await expectWhole(place, simulator, LINES);
});

test('a run whose partner is killed goes on alone', async () => {
  const { place, simulator } = await openScene(LINES);
  const hold = simulator.controls.hold('retrieve', 'before');
  const first = place.start(place.runArgs(...OPTIONS));
  await hold.reached;
  const second = place.start(place.runArgs(...OPTIONS));
  await second.says(/attached/);
  await first.kill();
  hold.release();
  expectAllOk([await second.ended]);
  await expectWhole(place, simulator, LINES);
});

test('a process that stands still between decision and create cannot pay twice', async () => {
  const { place, simulator, run } = await frozenAfterDecision();
  expectAllOk([await place.command(place.runArgs())]);
  run.signal('SIGCONT');
  expectAllOk([await run.ended]);
  await expectWhole(place, simulator, ONE_CHUNK);
});

test('a batch made for an abandoned attempt is not taken for the next attempt', async () => {
  const { place, simulator } = await openScene(ONE_CHUNK);
  const { controls } = simulator;
  const leave = controls.hold('create', 'before');
  const late = place.start(place.runArgs());
  await leave.reached;
  late.signal('SIGSTOP');
  const next = place.start(place.runArgs());
  await untilCreates(simulator, 2);
  // Both creates are made now; the late process hears of its own before the next one does.
  const answer = controls.hold('create', 'after');
  leave.release();
  await eventually(() => expect(simulator.ledger.totals().batchesCreated).toBe(2));
  next.signal('SIGSTOP');
  await untilStopped(next.pid);
  answer.release();
  late.signal('SIGCONT');
  await eventually(async () => expect(await statusOfChunk(place)).not.toBe('submitting'));
  next.signal('SIGCONT');
  expectAllOk(await Promise.all([late.ended, next.ended]));
  await expectWhole(place, simulator, ONE_CHUNK);
});

test('a late refusal of an abandoned create does not undo the next attempt', async () => {
  const { place, simulator } = await openScene(ONE_CHUNK);
  const { controls } = simulator;
  const leave = controls.hold('create', 'before');
  const late = place.start(place.runArgs());
  await leave.reached;
  late.signal('SIGSTOP');
  const next = place.start(place.runArgs());
  await untilCreates(simulator, 2);
  controls.setFault({ name: 'create_rate_limit_429', times: 1 });
  const answer = controls.hold('create', 'after');
  leave.release();
  await answer.reached;
  next.signal('SIGSTOP');
  await untilStopped(next.pid);
  late.signal('SIGCONT');
  // The late process has had its answer when it goes on to look for the other's batch.
  const seen = controls.eventCount();
  await controls.until('call_ended', ({ operation }) => operation !== 'create', {
    after: seen,
    deadlineMs: 60_000,
  });
  answer.release();
  next.signal('SIGCONT');
  expectAllOk(await Promise.all([late.ended, next.ended]));
  await expectWhole(place, simulator, ONE_CHUNK);
});

test('a FLUSHALL in the middle loses nothing and pays nothing twice', async () => {
  const { place, simulator } = await openScene(LINES);
  const hold = simulator.controls.hold('retrieve', 'before');
  const run = place.start(place.runArgs(...OPTIONS));
  await hold.reached;
  await (await connect(place)).flushall();
  hold.release();
  expectAllOk([await run.ended]);
  await expectWhole(place, simulator, LINES);
});

test('a private Redis that is killed is replaced, and nothing is lost', async () => {
  const { place, simulator } = await openScene(LINES);
  const hold = simulator.controls.hold('retrieve', 'before');
  const run = place.start(place.runArgs(...OPTIONS));
  await hold.reached;
  const redis = await connect(place);
  const pid = /process_id:(\d+)/.exec(await redis.info('server'))?.[1];
  redis.disconnect();
  process.kill(Number(pid), 'SIGKILL');
  hold.release();
  expectAllOk([await run.ended]);
  await expectWhole(place, simulator, LINES);
});

test('each way in which the answer to a create is lost ends with one batch', async () => {
  const { place, simulator } = await openScene(LINES);
  for (const name of LOST_ANSWERS) simulator.controls.setFault({ name, times: 1 });
  const options = [...OPTIONS, '--max-live-batches', '8'];
  const ended = await place.command(place.runArgs(...options), {
    BATCHWRIGHT_CREATE_TIMEOUT_MS: '1000',
  });
  expectAllOk([ended]);
  const strikes = simulator.controls
    .faults()
    .map(({ fault, strikes: times }) => [fault.name, times]);
  expect(strikes).toEqual(LOST_ANSWERS.map((name) => [name, 1]));
  await expectWhole(place, simulator, LINES);
});

test('a batch that lists show only after a while is found before it is given up', async () => {
  const { place, simulator } = await openScene(ONE_CHUNK);
  simulator.controls.setFault({ name: 'create_reset_after_work', times: 1 });
  simulator.controls.setFault({ name: 'list_lag', calls: 4 });
  expectAllOk([await place.command(place.runArgs())]);
  await expectWhole(place, simulator, ONE_CHUNK);
  expect(simulator.ledger.totals().batchesCreated).toBe(1);
});

const LOST_ANSWERS: readonly FaultSwitch['name'][] = [
  'create_rate_limit_429',
  'create_server_error_500',
  'create_html_502',
  'create_409',
  'create_reset',
  'create_hang',
  'create_timeout_after_work',
  'create_reset_after_work',
  'create_500_after_work',
  'create_html_502_after_work',
  'create_409_after_work',
  'create_truncated_200_after_work',
];

function expectAllOk(ended: readonly Ended[]): void {
  for (const { code, stderr } of ended) expect(code, stderr).toBe(0);
}

async function expectWhole(
  place: Place,
  simulator: Simulator,
  lines: readonly string[],
): Promise<void> {
  expectAnswered(await readResult(place.outputPath), lines);
  expectPaidOnce(simulator, lines.length);
}

async function untilCreates(simulator: Simulator, count: number): Promise<void> {
  await eventually(() => expect(simulator.ledger.calls()['create']).toBe(count));
}

async function statusOfChunk(place: Place): Promise<string | undefined> {
  return (await place.states()).get('c000000')?.status;
}

/** A connection to the private Redis of the place. */
async function connect(place: Place): Promise<Redis> {
  const names = await readdir(place.runtimeDir);
  const socket = names.find((name) => name.endsWith('.sock'));
  const redis = new Redis({ path: join(place.runtimeDir, socket ?? ''), retryStrategy: null });
  redis.on('error', () => undefined);
  onTestFinished(() => redis.disconnect());
  return redis;
}
