/** The client commands: the real program against the real service. */

import { readFile, readdir, writeFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';

import { describe, expect, test } from 'vitest';

import type { SimulatorOptions } from '../../src/simulator/options.ts';
import { openPlace } from '../support/command.ts';
import { openCuttingProxy } from '../support/cutting-proxy.ts';
import type { Place } from '../support/program.ts';
import { eventually, sha256 } from '../support/program.ts';
import { openServiceScene, type ServiceScene } from '../support/service.ts';
import { asInput, expectAnswered, mixedLines, readResult, requestLine } from '../support/sets.ts';

const LINES = mixedLines(60);
const CHUNKS = ['--max-requests', '20'];

/** Fails for good in any world that has this fault on. */
const DOOMED = requestLine('doomed-1');

interface Client {
  readonly place: Place;
  readonly service: ServiceScene;
  /** Runs a command to its end, against the service. */
  readonly command: Place['command'];
  readonly start: Place['start'];
  /** Submits the place's input; resolves to the job's id. */
  readonly submit: (...more: string[]) => Promise<string>;
}

/** A place whose commands talk to a service; `input` lies there as a file. */
async function openClient(
  input: readonly string[],
  simulator: SimulatorOptions = {},
  way: (url: string) => Promise<string> = async (url) => url,
): Promise<Client> {
  const service = await openServiceScene({ simulator });
  const place = await openPlace(service.simulator.url);
  await place.writeInput(asInput(input));
  const own = { BATCHWRIGHT_URL: await way(service.url) };
  const command: Place['command'] = (args, env = {}, stdin) =>
    place.command(args, { ...own, ...env }, stdin);
  const start: Place['start'] = (args, env = {}, stdin) =>
    place.start(args, { ...own, ...env }, stdin);
  const submit = async (...more: string[]): Promise<string> => {
    const ended = await command(['submit', place.inputPath, ...more]);
    expect(ended.code, ended.stderr).toBe(0);
    return ended.stdout.trimEnd();
  };
  return { place, service, command, start, submit };
}

/** The same with a job that is over; some of its lines failed. */
async function openFinished(input: readonly string[] = [...LINES, DOOMED]) {
  const client = await openClient(input);
  client.service.simulator.controls.setFault({ name: 'line_error_400', match: 'doomed' });
  const job = await client.submit(...CHUNKS);
  const watched = await client.command(['watch', job]);
  expect(watched.code, watched.stderr).toBe(3);
  return { ...client, job, watched };
}

describe('a job of a service', () => {
  test('is submitted, watched, fetched and verified', async () => {
    const { place, job, watched, command } = await openFinished();
    expect(job).toMatch(/^job_[0-9a-z]{26}$/);
    expect(watched.stdout).toBe('');
    expect(watched.stderr).toContain('completed_with_errors: 61 lines = 60 ok + 1 failed');
    const fetched = await command(['result', job, '-o', place.outputPath]);
    expect(fetched.code, fetched.stderr).toBe(0);
    const result = await readResult(place.outputPath);
    expectAnswered(result.slice(0, 60), LINES);
    expect(result[60]?.response?.status_code).toBe(400);
    const verified = await place.command(['verify', place.outputPath]);
    expect(verified.stdout).toContain('61 in = 60 ok + 1 failed');
    const piped = await command(['result', job]);
    expect(piped.stdout).toBe(await readFile(place.outputPath, 'utf8'));
    expect(await readdir(place.folder)).not.toContainEqual(expect.stringMatching(/partial|tmp/));
  });

  test('says with --json what the service says', async () => {
    const { job, command } = await openFinished();
    const status = JSON.parse((await command(['status', job, '--chunks', '--json'])).stdout);
    expect(status).toMatchObject({
      object: 'job',
      id: job,
      status: 'completed_with_errors',
      counts: { total: 61, succeeded: 60, failed: 1, rejected: 0, pending: 0 },
      chunks: { by_phase: { settled: status.chunks.total } },
    });
    expect(status.chunk_list).toHaveLength(status.chunks.total);
    const watched = await command(['watch', job, '--json']);
    expect(watched).toMatchObject({ code: 3, stderr: '' });
    const last = JSON.parse(watched.stdout.trimEnd().split('\n').at(-1) ?? '');
    expect(last).toMatchObject({ type: 'done', job, succeeded: 60, failed: 1 });
    const listed = JSON.parse((await command(['list', '--json'])).stdout);
    expect(listed).toMatchObject({ id: job, counts: { total: 61 } });
  });

  test('is found by the beginning of its id, and shown as a local one is', async () => {
    const { job, command } = await openFinished();
    const status = await command(['status', job.slice(0, 20)]);
    expect(status.stdout).toContain(`${job}  completed_with_errors`);
    expect(status.stdout).toContain('61 / 61 lines, 1 failed');
    expect((await command(['list'])).stdout).toMatch(/^job_\w+ .* completed_with_errors +61 /m);
    const nobody = await command(['status', 'job_nobody']);
    expect(nobody).toMatchObject({ code: 2, stderr: 'There is no job job_nobody.\n' });
  });

  test('shows what failed, and sends it again', async () => {
    const { job, command, service } = await openFinished();
    const groups = await command(['errors', job]);
    expect(groups.stdout).toContain('400 context_length_exceeded');
    const lines = await command(['errors', job, '--lines', '--json']);
    expect(JSON.parse(lines.stdout)).toMatchObject({ line: 61, custom_id: 'doomed-1' });
    const none = await command(['retry', job]);
    expect(none.code, none.stderr).toBe(4);
    service.simulator.controls.clearFaults();
    const again = await command(['retry', job, '--class', '400 context_length_exceeded']);
    expect(again.code, again.stderr).toBe(0);
    const watched = await command(['watch', again.stdout.trimEnd()]);
    expect(watched.code, watched.stderr).toBe(0);
    expect(watched.stderr).toContain('completed: 1 line = 1 ok + 0 failed');
  });

  test('gives its answered lines, its failed lines, or all as they come', async () => {
    const { place, command, submit } = await openClient([...LINES, DOOMED]);
    const job = await submit(...CHUNKS);
    const followed = await command(['result', job, '--follow', '-o', place.outputPath]);
    expect(followed.code, followed.stderr).toBe(0);
    const whole = await command(['result', job]);
    expect(await readFile(place.outputPath, 'utf8')).toBe(whole.stdout);
    const [ok, failed, partial] = await Promise.all([
      command(['result', job, '--ok']),
      command(['result', job, '--failed']),
      command(['result', job, '--partial']),
    ]);
    expect(ok.stdout + failed.stdout).toHaveLength(whole.stdout.length);
    expect(partial.stdout).toBe(whole.stdout);
  });

  test('that is not over has no result yet, and says what to type', async () => {
    const { service, command, submit } = await openClient(LINES);
    service.simulator.controls.setFault({ name: 'stuck_finalizing' });
    const job = await submit(...CHUNKS);
    const result = await command(['result', job]);
    expect(result).toMatchObject({ code: 4, stdout: '' });
    expect(result.stderr).toContain(`batchwright watch ${job}`);
    const partial = await command(['result', job, '--partial']);
    expect(partial, partial.stderr).toMatchObject({ code: 0, stdout: '' });
  });

  test('is cancelled: what was paid is kept; exit code 6', async () => {
    const { service, command, submit } = await openClient(LINES);
    service.simulator.controls.setFault({ name: 'stuck_finalizing' });
    const job = await submit(...CHUNKS);
    await eventually(() => expect(service.simulator.controls.batches().length).toBeGreaterThan(0));
    const cancelled = await command(['cancel', job]);
    expect(cancelled.code, cancelled.stderr).toBe(6);
    expect((await command(['watch', job])).code).toBe(6);
    const again = await command(['cancel', job]);
    expect(again).toMatchObject({ code: 6, stderr: expect.stringContaining('is over already') });
  });
});

describe('submit', () => {
  test('takes gzip and standard input as what they hold, with what belongs to them', async () => {
    const { place, command } = await openClient([]);
    const packed = gzipSync(asInput(LINES));
    const path = `${place.inputPath}.gz`;
    await writeFile(path, packed);
    const more = ['--metadata', 'team=labels', '--metadata', 'run=7=8', '--name', 'nightly'];
    for (const input of [path, '-']) {
      const args = ['submit', input, ...more];
      const ended = await command(args, {}, input === '-' ? packed : undefined);
      expect(ended.code, ended.stderr).toBe(0);
      const job = ended.stdout.trimEnd();
      const watched = await command(['watch', job]);
      expect(watched.code, watched.stderr).toBe(0);
      const status = JSON.parse((await command(['status', job, '--json'])).stdout);
      expect(status).toMatchObject({
        name: 'nightly',
        metadata: { team: 'labels', run: '7=8' },
        counts: { succeeded: 60 },
      });
    }
  });

  test('with an idempotency key makes one job of the same, and none of something else', async () => {
    const { place, command, submit } = await openClient(LINES);
    const key = ['--idempotency-key', 'tonight'];
    const job = await submit(...key);
    expect(await submit(...key)).toBe(job);
    await place.writeInput(asInput(LINES.slice(1)));
    const other = await command(['submit', place.inputPath, ...key]);
    expect(other).toMatchObject({ code: 4, stdout: '' });
    expect(other.stderr).toContain(job);
  });

  test('with --dry-run keeps nothing, and says what would be sent', async () => {
    const { place, command } = await openClient(LINES);
    const args = ['submit', place.inputPath, '--dry-run', ...CHUNKS];
    const plan = await command(args);
    expect(plan.code, plan.stderr).toBe(0);
    expect(plan.stdout).toContain('60 requests');
    await place.writeInput(asInput([...LINES, '{"custom_id":']));
    const bad = await command(args);
    expect(bad.code).toBe(4);
    expect(bad.stderr).toContain('line 61: ');
    expect((await command([...args, '--on-invalid', 'skip'])).code).toBe(0);
    expect((await command(['list'])).stdout).toBe('');
  });

  test('with bad lines makes a job that fails, and watch names the lines', async () => {
    const { command, submit } = await openClient(['{"custom_id":', ...LINES]);
    const job = await submit();
    const watched = await command(['watch', job]);
    expect(watched.code).toBe(4);
    expect(watched.stderr).toMatch(/^line 1: /m);
    const result = await command(['result', job]);
    expect(result).toMatchObject({ code: 4, stderr: expect.stringContaining('nothing of it') });
    expect((await command(['errors', job, '--lines'])).stdout).toMatch(/^line 1 /);
  });

  for (const [words, args, code, says] of [
    ['an input that is not there', ['none.jsonl'], 2, /no file none\.jsonl/],
    ['a folder', ['.'], 2, /is not a file/],
    ['metadata without a value', ['in.jsonl', '--metadata', 'x'], 2, /key=value/],
    ['more than a provider takes', ['in.jsonl', '--max-requests', '60000'], 2, /at most/],
  ] as const) {
    test(`with ${words} exits with ${code}`, async () => {
      const { command } = await openClient(LINES);
      const ended = await command(['submit', ...args]);
      expect(ended, ended.stderr).toMatchObject({ code, stdout: '' });
      expect(ended.stderr).toMatch(says);
    });
  }
});

describe('a connection that breaks', () => {
  const MANY = mixedLines(3_000);

  test('is made again, and the download goes on where it stopped', async () => {
    const { place, service, submit, command } = await openClient(MANY);
    const job = await submit();
    expect((await command(['watch', job])).code).toBe(0);
    const proxy = await openCuttingProxy(service.url);
    const url = ['--url', proxy.url];
    const whole = (await command(['result', job, ...url])).stdout;
    const wholeBytes = proxy.bytes();
    proxy.cutAfter(200_000, 3);
    const cut = await command(['result', job, '-o', place.outputPath, ...url]);
    expect(cut.code, cut.stderr).toBe(0);
    expect(proxy.cuts()).toBe(3);
    expect(sha256(await readFile(place.outputPath))).toBe(sha256(Buffer.from(whole)));
    expect(proxy.bytes() - wholeBytes).toBeLessThan(wholeBytes + 100_000);
    proxy.cutAfter(200_000, 2);
    expect((await command(['result', job, ...url])).stdout).toBe(whole);
    expect(proxy.cuts()).toBe(5);
  });

  test('leaves what came for the same command another time', async () => {
    const { place, service, submit, command } = await openClient(MANY);
    const job = await submit();
    expect((await command(['watch', job])).code).toBe(0);
    const whole = Buffer.from((await command(['result', job])).stdout);
    const begun = `${place.outputPath}.${sha256(whole).slice(0, 12)}.partial`;
    const there = whole.length - 50_000;
    await writeFile(begun, whole.subarray(0, there));
    const proxy = await openCuttingProxy(service.url);
    const args = ['result', job, '-o', place.outputPath, '--url', proxy.url];
    expect((await command(args)).code).toBe(0);
    expect(proxy.bytes()).toBeLessThan(100_000);
    expect(await readFile(place.outputPath)).toEqual(whole);

    await writeFile(begun, Buffer.alloc(there, 'x'));
    await writeFile(place.outputPath, '');
    const spoilt = await command(args);
    expect(spoilt).toMatchObject({ code: 1, stderr: expect.stringContaining('sha256') });
    expect((await command(args)).code).toBe(0);
    expect(await readFile(place.outputPath)).toEqual(whole);
  });

  test('does not end a watch', async () => {
    const { service, submit, start } = await openClient(LINES);
    service.simulator.controls.setFault({ name: 'stuck_finalizing' });
    const job = await submit(...CHUNKS);
    const proxy = await openCuttingProxy(service.url);
    const watch = start(['watch', job, '--url', proxy.url]);
    await watch.says(/60/);
    proxy.cutAll();
    await watch.says(/cannot be reached/);
    service.simulator.controls.clearFaults();
    const ended = await watch.ended;
    expect(ended.code, ended.stderr).toBe(0);
  });

  test('is left by Ctrl-C, and nothing is cancelled: exit code 5', async () => {
    const { service, submit, start, command } = await openClient(LINES);
    service.simulator.controls.setFault({ name: 'stuck_finalizing' });
    const job = await submit(...CHUNKS);
    const watch = start(['watch', job]);
    await watch.says(/60/);
    watch.signal('SIGINT');
    const ended = await watch.ended;
    expect(ended.code, ended.stderr).toBe(5);
    expect(ended.stderr).toContain(`batchwright watch ${job}`);
    expect((await command(['status', job])).stdout).toContain('running');
  });
});

describe('a service', () => {
  test('that wants a key says so to who has none, or a wrong one', async () => {
    const { service, place, command } = await openClient(LINES);
    const env = { BATCHWRIGHT_DATA_DIR: service.config.dataDir };
    const made = await place.command(['keys', 'create', '--tenant', 'acme'], env);
    const key = made.stdout.trimEnd();
    const list = (more: NodeJS.ProcessEnv) => command(['list'], more);
    await eventually(async () => expect((await list({})).code).toBe(2));
    const wrong = await list({ BATCHWRIGHT_API_KEY: `${key.slice(0, -1)}_` });
    expect(wrong).toMatchObject({ code: 2, stdout: '' });
    expect(wrong.stderr).toContain('BATCHWRIGHT_API_KEY');
    const right = { BATCHWRIGHT_API_KEY: key };
    expect((await list(right)).code).toBe(0);
    const submitted = await command(['submit', place.inputPath], right);
    expect(submitted.code, submitted.stderr).toBe(0);
    expect((await list(right)).stdout).toContain(submitted.stdout.trimEnd());
    const refused = await command(['submit', place.inputPath]);
    expect(refused).toMatchObject({ code: 2, stdout: '' });
  });

  test('that is not there: what to type', async () => {
    const place = await openPlace('http://127.0.0.1:9/v1');
    await place.writeInput(asInput(LINES));
    const env = { BATCHWRIGHT_URL: 'http://127.0.0.1:9' };
    for (const args of [
      ['list'],
      ['submit', place.inputPath],
      ['watch', `job_${'0'.repeat(26)}`],
    ]) {
      const ended = await place.command(args, env);
      expect(ended, ended.stderr).toMatchObject({ code: 2, stdout: '' });
      expect(ended.stderr).toContain('batchwright serve');
    }
  });

  test('that is another one is told from ours', async () => {
    const { service, command } = await openClient([]);
    const ended = await command(['list', '--url', service.simulator.url]);
    expect(ended).toMatchObject({ code: 1, stdout: '' });
    expect(ended.stderr).toContain('BATCHWRIGHT_URL');
  });

  test('is not asked where a data directory is named', async () => {
    const { place, command } = await openClient(LINES);
    const ended = await command(['list', '--data-dir', place.dataDir]);
    expect(ended).toMatchObject({ code: 0, stderr: `No jobs in ${place.dataDir}.\n` });
  });
});

describe('without a service', () => {
  test('submit and retry say which setting is missing', async () => {
    const place = await openPlace('http://127.0.0.1:9/v1');
    await place.writeInput(asInput(LINES));
    for (const args of [
      ['submit', place.inputPath],
      ['retry', 'job_x'],
    ]) {
      const ended = await place.command(args);
      expect(ended).toMatchObject({ code: 2, stdout: '' });
      expect(ended.stderr).toContain('BATCHWRIGHT_URL');
    }
    const follow = await place.command(['result', 'job_x', '--follow']);
    expect(follow).toMatchObject({ code: 2, stderr: expect.stringContaining('BATCHWRIGHT_URL') });
  });

  test('watch shows what another process does with a job, and ends with it', async () => {
    const { service, place } = await openClient(LINES);
    const env = { OPENAI_BASE_URL: service.simulator.url };
    service.simulator.controls.setFault({ name: 'stuck_finalizing' });
    const run = place.start(place.runArgs(...CHUNKS), env);
    await run.says(/job_/);
    const job = /job_[0-9a-z]{26}/.exec(run.stderr())?.[0] ?? '';
    const watch = place.start(['watch', job]);
    await watch.says(/0 \/ 60/);
    const left = place.start(['watch', job]);
    await left.says(/0 \/ 60/);
    left.signal('SIGINT');
    expect((await left.ended).code).toBe(5);
    service.simulator.controls.clearFaults();
    const ended = await watch.ended;
    expect(ended.code, ended.stderr).toBe(0);
    expect(ended.stderr).toContain('completed: 60 lines = 60 ok + 0 failed');
    expect((await run.ended).code).toBe(0);
  });
});
