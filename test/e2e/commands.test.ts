/** Each command as a user types it: what it prints, where, and its exit code. */

import { readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { gzipSync } from 'node:zlib';

import { describe, expect, test } from 'vitest';

import { eventually } from '../support/program.ts';
import {
  asInput,
  expectAnswered,
  expectNothingSent,
  expectPaidOnce,
  mixedLines,
  readResult,
  requestLine,
} from '../support/sets.ts';
import { openScene, type Scene } from './scene.ts';

const LINES = mixedLines(60);
const OPTIONS = ['--max-requests', '20'];

/** Fails for good in any world that has this fault on. */
const DOOMED = requestLine('doomed-1');

describe('run', () => {
  test('reads standard input and gzip as what they hold', async () => {
    const { place, simulator } = await openScene([]);
    const packed = gzipSync(asInput(LINES));
    const ended = await place.command(['run', '-', '-o', place.outputPath], {}, packed);
    expect(ended.code, ended.stderr).toBe(0);
    expect(ended.stdout).toBe('');
    expectAnswered(await readResult(place.outputPath), LINES);
    expectPaidOnce(simulator, LINES.length);
  });

  test('says with --json what happens, one event a line, and nothing on stderr', async () => {
    const { place } = await openScene(LINES);
    const ended = await place.command(place.runArgs('--json', ...OPTIONS));
    expect(ended.code).toBe(0);
    expect(ended.stderr).toBe('');
    const events = ended.stdout.trimEnd().split('\n').map(asEvent);
    expect(events.map(({ type }) => type)).toEqual(expect.arrayContaining(['job', 'plan', 'done']));
    expect(events.at(-1)).toMatchObject({ type: 'done', status: 'completed', lines: 60 });
  });

  test('says nothing with --quiet when all goes well', async () => {
    const { place } = await openScene(LINES);
    const ended = await place.command(place.runArgs('--quiet', ...OPTIONS));
    expect(ended).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  test('run again, says that all is there, exits as before, writes what is lost', async () => {
    const { place, simulator } = await openScene([...LINES, DOOMED]);
    simulator.controls.setFault({ name: 'line_error_400', match: 'doomed' });
    expect((await place.command(place.runArgs())).code).toBe(3);
    const calls = simulator.ledger.calls();
    const again = await place.command(place.runArgs());
    expect(again.code).toBe(3);
    expect(again.stderr).toContain('complete before');
    const before = await place.outputSha256();
    await rm(place.outputPath);
    expect((await place.command(place.runArgs())).code).toBe(3);
    expect(await place.outputSha256()).toBe(before);
    expect(simulator.ledger.calls()).toEqual(calls);
  });

  test('makes a new job with --fresh', async () => {
    const { place, simulator } = await openScene(LINES);
    expect((await place.command(place.runArgs())).code).toBe(0);
    expect((await place.command(place.runArgs('--fresh'))).code).toBe(0);
    expect(simulator.ledger.totals().requestsPaid).toBe(2 * LINES.length);
    const listed = await place.command(['list']);
    expect(listed.stdout.match(/^job_/gm)).toHaveLength(2);
  });

  test('sends again what failed for the moment, and only that', async () => {
    const { place, simulator } = await openScene(LINES);
    simulator.controls.setFault({ name: 'line_error_429', match: '-7', times: 1 });
    expect((await place.command(place.runArgs())).code).toBe(0);
    expectAnswered(await readResult(place.outputPath), LINES);
    expectPaidOnce(simulator, LINES.length);
    expect(simulator.ledger.totals().requestsExecuted).toBe(LINES.length + 1);
  });

  for (const [words, args, env, code, says] of [
    ['an unknown flag', ['run', 'in.jsonl', '-o', 'o', '--nope'], {}, 2, /unknown option/],
    ['no output', ['run', 'in.jsonl'], {}, 2, /--output/],
    ['no input file', ['run', 'none.jsonl', '-o', 'o'], {}, 2, /no file none\.jsonl/],
    ['a folder as input', ['run', '.', '-o', 'o'], {}, 2, /not a file/],
    ['no output folder', ['run', 'in.jsonl', '-o', 'none/o'], {}, 2, /not a folder/],
    ['its input as output', ['run', 'in.jsonl', '-o', 'in.jsonl'], {}, 2, /replace the input/],
    ['too large a chunk', ['run', 'in.jsonl', '-o', 'o', '--max-requests', '60000'], {}, 2, /most/],
    ['a bad brake', ['run', 'in.jsonl', '-o', 'o', '--max-errors', 'x'], {}, 2, /share/],
    [
      'no key for a server elsewhere',
      ['run', 'in.jsonl', '-o', 'o'],
      { OPENAI_BASE_URL: 'https://batch.invalid/v1', BATCHWRIGHT_CREATE_SETTLE_MS: '120000' },
      2,
      /OPENAI_API_KEY is not set/,
    ],
    [
      'a wrong setting',
      ['run', 'in.jsonl', '-o', 'o'],
      { BATCHWRIGHT_MAX_LIVE_BATCHES: 'many' },
      2,
      /BATCHWRIGHT_MAX_LIVE_BATCHES/,
    ],
  ] as const) {
    test(`with ${words} exits with ${code} and sends nothing`, async () => {
      const { place, simulator } = await openScene(LINES);
      const ended = await place.command(args, env);
      expect(ended.code, ended.stderr).toBe(code);
      expect(ended.stderr).toMatch(says);
      expect(ended.stdout).toBe('');
      expectNothingSent(simulator);
    });
  }
});

test('plan prints the chunks and sends nothing', async () => {
  const { place, simulator } = await openScene(LINES);
  const ended = await place.command(['plan', place.inputPath, ...OPTIONS]);
  expect(ended.code).toBe(0);
  expect(ended.stdout.match(/^c00000\d /gm)).toHaveLength(3);
  expect(ended.stdout).toContain('60 requests');
  const json = await place.command(['plan', place.inputPath, '--json', ...OPTIONS]);
  const plan = JSON.parse(json.stdout) as { chunks: { requests: number }[] };
  expect(plan.chunks.map(({ requests }) => requests)).toEqual([20, 20, 20]);
  expectNothingSent(simulator);
});

describe('about a finished job', () => {
  test('status, verify, errors, result, list and prune say what there is', async () => {
    const { place, job } = await finished();
    const status = await place.command(['status', job.slice(0, 12), '--json']);
    expect(JSON.parse(status.stdout)).toMatchObject({
      job,
      status: 'completed_with_errors',
      total: 61,
      done: 61,
      failed: 1,
    });
    for (const name of [job, place.outputPath]) {
      const verified = await place.command(['verify', name]);
      expect(verified.code, verified.stderr).toBe(0);
      expect(verified.stdout).toContain('61 in = 60 ok + 1 failed');
    }
    const errors = await place.command(['errors', job, '--json']);
    expect(JSON.parse(errors.stdout)).toMatchObject({
      count: 1,
      class: '400 context_length_exceeded',
      retryable: false,
    });
    const failed = await place.command(['result', job, '--failed']);
    expect(failed.stdout.split('\n').filter(Boolean)).toHaveLength(1);
    expect(failed.stdout).toContain('"doomed-1"');
    const whole = await place.command(['result', job]);
    expect(whole.stdout).toBe(await readFile(place.outputPath, 'utf8'));
    expect((await place.command(['list'])).stdout).toContain('completed_with_errors');
    expect((await place.command(['prune', job])).stdout).toBe(`${job}\n`);
    expect((await place.command(['list'])).stdout).toBe('');
  });

  test('verify finds a changed byte and exits with 4', async () => {
    const { place } = await finished();
    const text = await readFile(place.outputPath, 'utf8');
    await writeFile(place.outputPath, text.replace('"status_code":200', '"status_code":201'));
    const verified = await place.command(['verify', place.outputPath]);
    expect(verified.code).toBe(4);
    expect(verified.stderr).toMatch(/out\.jsonl is not what \S+manifest\.json says/);
  });

  test('a job that is not there is the user’s mistake', async () => {
    const { place } = await openScene([]);
    for (const command of ['status', 'errors', 'result', 'verify', 'cancel', 'prune']) {
      const ended = await place.command([command, 'job_nobody']);
      expect(ended.code, command).toBe(2);
      expect(ended.stderr).toContain('no job job_nobody');
    }
  });
});

test('cancel ends a job: what was paid is kept, the rest says why; exit code 6', async () => {
  const { place, simulator } = await openScene(LINES);
  simulator.controls.setFault({ name: 'stuck_finalizing' });
  const run = place.start(place.runArgs(...OPTIONS, '--max-live-batches', '1'));
  await eventually(async () => {
    const statuses = [...(await place.states()).values()].map(({ status }) => status);
    expect(statuses).toContain('submitted');
  });
  const cancelled = await place.command([
    'cancel',
    (await place.jobFolder()).split('/').at(-1) ?? '',
  ]);
  expect(cancelled.code, cancelled.stderr).toBe(6);
  expect((await run.ended).code).toBe(6);
  const result = await readResult(place.outputPath);
  expect(result).toHaveLength(LINES.length);
  const paid = result.filter(({ response }) => response?.status_code === 200).length;
  expect(paid).toBe(simulator.ledger.totals().requestsPaid);
  const codes = new Set(result.map(({ error }) => error?.code));
  expect(codes).toEqual(new Set([undefined, 'job_cancelled']));
});

test('a detached job is paused, and resumed by its owner', async () => {
  const { place, simulator } = await openScene(LINES);
  simulator.controls.setFault({ name: 'stuck_finalizing' });
  const running = place.start(place.runArgs(...OPTIONS));
  await eventually(() => expect(simulator.controls.batches()).not.toEqual([]));
  running.signal('SIGINT');
  expect((await running.ended).code).toBe(5);
  const job = (await place.jobFolder()).split('/').at(-1) ?? '';
  expect((await place.command(['pause', job])).stdout).toBe(`${job}  paused\n`);
  expect((await place.command(['status', job])).stdout).toContain('paused: Its owner paused it.');
  const resumed = await place.command(['resume', job]);
  expect(resumed).toMatchObject({ code: 0, stdout: `${job}  running\n` });
});

test('an output that is a folder, a device or a pipe is refused, and nothing is sent', async () => {
  const { place, simulator } = await openScene(LINES);
  for (const target of ['/dev/null', '-', dirname(place.outputPath)]) {
    const args = place.runArgs().map((arg) => (arg === place.outputPath ? target : arg));
    const ended = await place.command(args);
    expect(ended.code, `${target}: ${ended.stderr}`).toBe(2);
  }
  expectNothingSent(simulator);
});

test('doctor says what is well and what is not', async () => {
  const { place } = await openScene([]);
  const well = await place.command(['doctor']);
  expect(well.code, well.stdout).toBe(0);
  const ill = await place.command(['doctor', '--json'], { OPENAI_BASE_URL: 'http://127.0.0.1:9' });
  expect(ill.code).toBe(2);
  const findings = ill.stdout.trimEnd().split('\n').map(asEvent);
  const problems = findings.filter(({ problem }) => problem !== null);
  expect(problems.map(({ check }) => check)).toEqual(['Batch API']);
});

test('simulate serves until it is told to stop', async () => {
  const { place } = await openScene([]);
  const simulate = place.start(['simulate', '--port', '0', '--seed', '5']);
  await simulate.says(/OPENAI_BASE_URL=http/);
  const said = /OPENAI_BASE_URL=(\S+)/.exec(simulate.stderr());
  await place.writeInput(asInput(LINES));
  const ended = await place.command(place.runArgs(), { OPENAI_BASE_URL: said?.[1] });
  expect(ended.code, ended.stderr).toBe(0);
  simulate.signal('SIGINT');
  expect((await simulate.ended).code).toBe(0);
});

async function finished(): Promise<Scene & { job: string }> {
  const scene = await openScene([...LINES, DOOMED]);
  scene.simulator.controls.setFault({ name: 'line_error_400', match: 'doomed' });
  const ended = await scene.place.command(scene.place.runArgs());
  expect(ended.code, ended.stderr).toBe(3);
  return { ...scene, job: (await scene.place.jobFolder()).split('/').at(-1) ?? '' };
}

function asEvent(line: string): Record<string, unknown> {
  return JSON.parse(line) as Record<string, unknown>;
}
