/** Taking over batches that another tool made: their answers come home as one job. */

import { describe, expect, test } from 'vitest';

import type { Simulator } from '../../src/simulator/simulator.ts';
import { otherTool } from '../support/other-tool.ts';
import { eventually, type Place } from '../support/program.ts';
import {
  asInput,
  expectAnswered,
  expectPaidOnce,
  readResult,
  requestLine,
} from '../support/sets.ts';
import { openScene } from './scene.ts';

const LINES = Array.from({ length: 90 }, (_, index) => requestLine(`r\u2028é-${index}`));
const FILES = [LINES.slice(0, 40), LINES.slice(40, 70), LINES.slice(70)];

/** Virtual time stands still, so that batches stay alive. */
const STILL = { clock: 'manual' } as const;

/** A batch that is to expire does so within a second. */
const SHORT_WINDOW = { windowSeconds: 3_600 };

const HOUR_MS = 3_600_000;

function adoptArgs(place: Place, batchIds: readonly string[], ...more: string[]): string[] {
  return ['adopt', ...batchIds, '-o', place.outputPath, ...more];
}

/** Sends each file as a batch of another tool; resolves to the batches' ids. */
async function sendAll(
  simulator: Simulator,
  files: readonly (readonly string[])[],
): Promise<string[]> {
  const tool = otherTool(simulator.url);
  const ids: string[] = [];
  for (const lines of files) ids.push(await tool.send(asInput(lines)));
  return ids;
}

/** The calls that cost something, as the provider counts them. */
function callsThatSend({ ledger }: Simulator): [number, number] {
  const { create = 0, upload = 0 } = ledger.calls();
  return [create, upload];
}

describe('adopt', () => {
  test('brings every answer home in the order of the arguments, and sends nothing', async () => {
    const { place, simulator } = await openScene([]);
    const ids = await sendAll(simulator, FILES);
    const order = [ids[2], ids[0], ids[1]].map(String);
    const ended = await place.command(adoptArgs(place, order));
    expect(ended.code, ended.stderr).toBe(0);
    const expected = [FILES[2], FILES[0], FILES[1]].flatMap((lines) => lines ?? []);
    expectAnswered(await readResult(place.outputPath), expected);
    expectPaidOnce(simulator, LINES.length);
    expect(callsThatSend(simulator)).toEqual([3, 3]);
    const verified = await place.command(['verify', place.outputPath]);
    expect(verified.code, verified.stderr).toBe(0);
    // What another tool made is another tool's to delete.
    expect(simulator.controls.files().length).toBeGreaterThanOrEqual(6);
  });

  test('attaches with the same command, and shows the job like any other', async () => {
    const { place, simulator } = await openScene([]);
    const ids = await sendAll(simulator, FILES);
    const first = await place.command(adoptArgs(place, ids, '--json'));
    const events = first.stdout.trimEnd().split('\n').map(asEvent);
    expect(events[0]).toMatchObject({ type: 'job', attached: false });
    expect(events.at(-1)).toMatchObject({ type: 'done', status: 'completed', lines: 90 });
    const before = await place.outputSha256();
    const calls = simulator.ledger.calls();
    const again = await place.command(adoptArgs(place, ids));
    expect(again.stderr).toContain('complete before');
    expect([again.code, await place.outputSha256()]).toEqual([0, before]);
    expect(simulator.ledger.calls()).toEqual(calls);
    const status = await place.command(['status', String(events[0]?.['job']), '--json']);
    expect(asEvent(status.stdout)).toMatchObject({ status: 'completed', done: 90 });
  });

  test('deletes the provider’s files with --files delete', async () => {
    const { place, simulator } = await openScene([]);
    const ids = await sendAll(simulator, FILES);
    const ended = await place.command(adoptArgs(place, ids, '--files', 'delete'));
    expect(ended.code, ended.stderr).toBe(0);
    expect(simulator.controls.files()).toEqual([]);
  });

  test('leaves with Ctrl-C, and the same command goes on', async () => {
    const { place, simulator } = await openScene([], STILL);
    const ids = await sendAll(simulator, FILES);
    const run = place.start(adoptArgs(place, ids));
    await run.says(/validating|submitted/);
    run.signal('SIGINT');
    expect((await run.ended).code).toBe(5);
    await simulator.controls.advance(HOUR_MS);
    const ended = await place.command(adoptArgs(place, ids));
    expect(ended.code, ended.stderr).toBe(0);
    expect(ended.stderr).toContain('(attached)');
    expectAnswered(await readResult(place.outputPath), LINES);
    expectPaidOnce(simulator, LINES.length);
  });

  for (const [operation, moment] of [
    ['file_retrieve', 'after'],
    ['download', 'before'],
  ] as const) {
    test(`is made good by the same command after a kill ${moment} ${operation}`, async () => {
      const { place, simulator } = await openScene([]);
      const ids = await sendAll(simulator, FILES);
      const hold = simulator.controls.hold(operation, moment);
      const run = place.start(adoptArgs(place, ids));
      await hold.reached;
      await run.kill();
      hold.release();
      const ended = await place.command(adoptArgs(place, ids));
      expect(ended.code, ended.stderr).toBe(0);
      expectAnswered(await readResult(place.outputPath), LINES);
      expectPaidOnce(simulator, LINES.length);
      expect(callsThatSend(simulator)).toEqual([3, 3]);
      expect((await place.command(['list'])).stdout.match(/^job_/gm)).toHaveLength(1);
    });
  }

  test('keeps what was answered when the job is cancelled', async () => {
    const { place, simulator } = await openScene([], STILL);
    const [done = ''] = await sendAll(simulator, FILES.slice(0, 1));
    await simulator.controls.advance(HOUR_MS);
    const [live = ''] = await sendAll(simulator, FILES.slice(1, 2));
    const run = place.start(adoptArgs(place, [done, live]));
    await eventually(async () =>
      expect((await place.states()).get('c000000')?.status).toBe('settled'),
    );
    run.signal('SIGINT');
    await run.ended;
    const job = (await place.jobFolder()).split('/').at(-1) ?? '';
    const cancel = place.start(['cancel', job]);
    await simulator.controls.until(
      'batch_status',
      ({ batchId, status }) => batchId === live && status === 'cancelling',
    );
    await simulator.controls.advance(HOUR_MS);
    expect((await cancel.ended).code).toBe(6);
    const result = await place.command(['result', job]);
    const codes = result.stdout.trimEnd().split('\n').map(codeIn);
    expect(codes.filter((code) => code === 200)).toHaveLength(40);
    expect(codes.filter((code) => code === 'job_cancelled')).toHaveLength(30);
  });
});

describe('what a batch left unanswered', () => {
  test('goes again, and nothing else does', async () => {
    const { place, simulator } = await openScene([], SHORT_WINDOW);
    simulator.controls.setFault({ name: 'expired_partially', share: 0.5, times: 1 });
    const ids = await sendAll(simulator, FILES);
    const ended = await place.command(adoptArgs(place, ids, '--yes'));
    expect(ended.code, ended.stderr).toBe(0);
    expectAnswered(await readResult(place.outputPath), LINES);
    expectPaidOnce(simulator, LINES.length);
    expect(callsThatSend(simulator)).toEqual([4, 4]);
    // The first file of ours holds a rest only, and is not taken for the whole chunk.
    const verified = await place.command(['verify', place.outputPath]);
    expect(verified.code, verified.stdout).toBe(0);
  });

  test('is answered with errors with --no-retry', async () => {
    const { place, simulator } = await openScene([], SHORT_WINDOW);
    simulator.controls.setFault({ name: 'expired_partially', share: 0.5, times: 1 });
    const ids = await sendAll(simulator, FILES.slice(0, 1));
    const ended = await place.command(adoptArgs(place, ids, '--no-retry'));
    expect(ended.code, ended.stderr).toBe(3);
    expect(callsThatSend(simulator)).toEqual([1, 1]);
    const codes = (await readResult(place.outputPath)).map((line) => line.error?.code ?? 'ok');
    expect(codes).toHaveLength(40);
    expect(new Set(codes)).toEqual(new Set(['ok', 'attempts_exhausted']));
  });
});

describe('several batches over the same requests', () => {
  test('answer one line each, and a live one is ended only when that is said', async () => {
    const { place, simulator } = await openScene([], STILL);
    const tool = otherTool(simulator.url);
    const fileId = await tool.upload(asInput(LINES));
    const first = await tool.create(fileId);
    await simulator.controls.advance(HOUR_MS);
    const twin = await tool.create(fileId);
    const run = place.start(adoptArgs(place, [first, twin]));
    await run.says(new RegExp(`${twin}.*--cancel-duplicates`));
    await eventually(async () =>
      expect((await place.states()).get('c000000')?.status).toBe('settling'),
    );
    await simulator.controls.until('call_ended', isLookAt(twin), {
      after: simulator.controls.eventCount(),
    });
    run.signal('SIGINT');
    expect((await run.ended).code).toBe(5);
    expect(simulator.ledger.calls()['cancel'] ?? 0).toBe(0);
    const again = place.start(adoptArgs(place, [first, twin], '--cancel-duplicates'));
    await again.says(new RegExp(`${twin}.*being cancelled`));
    await simulator.controls.advance(HOUR_MS);
    const ended = await again.ended;
    expect(ended.code, ended.stderr).toBe(0);
    expectAnswered(await readResult(place.outputPath), LINES);
    expect(simulator.ledger.executedTwice()).toEqual([]);
  });

  test('are one chunk where a later batch asked again for what the first one left', async () => {
    const { place, simulator } = await openScene([]);
    simulator.controls.setFault({ name: 'line_missing', match: '-7', times: 1 });
    const [first = ''] = await sendAll(simulator, [LINES]);
    await simulator.controls.until(
      'batch_status',
      ({ batchId, status }) => batchId === first && status === 'completed',
    );
    const left = LINES.filter((line) => /-7\d?"/.test(line));
    const [second = ''] = await sendAll(simulator, [left]);
    const ended = await place.command(adoptArgs(place, [second, first], '--no-retry'));
    expect(ended.code, ended.stderr).toBe(0);
    expectAnswered(await readResult(place.outputPath), LINES);
    expect((await place.states()).has('c000001')).toBe(false);
  });
});

function isLookAt(batchId: string) {
  return ({ operation, path }: { operation: string; path: string }): boolean =>
    operation === 'retrieve' && path.includes(batchId);
}

function asEvent(line: string): Record<string, unknown> {
  return JSON.parse(line) as Record<string, unknown>;
}

function codeIn(line: string): number | string | undefined {
  const { response, error } = JSON.parse(line) as {
    response: { status_code: number } | null;
    error: { code: string } | null;
  };
  return response?.status_code ?? error?.code;
}
