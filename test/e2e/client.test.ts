/** The client commands: the real program against the real service. */

import { readFile, readdir, writeFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';

import { describe, expect, test } from 'vitest';

import { openPlace } from '../support/command.ts';
import { eventually } from '../support/program.ts';
import { call } from '../support/service.ts';
import { asInput, expectAnswered, readResult } from '../support/sets.ts';
import { CHUNKS, DOOMED, LINES, openClient, openFinished } from './client-scene.ts';

describe('a job of a service', () => {
  test('is submitted, watched, fetched, verified, and shown as a local one is', async () => {
    const { place, job, watched, command } = await openFinished();
    expect(job).toMatch(/^job_[0-9a-z]{26}$/);
    expect(watched.stdout).toBe('');
    expect(watched.stderr).toContain('completed_with_errors: 61 lines = 60 ok + 1 failed');
    const fetched = await command(['result', job, '-o', place.outputPath]);
    expect(fetched.code, fetched.stderr).toBe(0);
    const result = await readResult(place.outputPath);
    expectAnswered(result.slice(0, 60), LINES);
    expect(result[60]?.response?.status_code).toBe(400);
    expect(await readdir(place.folder)).not.toContainEqual(expect.stringMatching(/partial|tmp/));
    const [verified, piped, again] = await Promise.all([
      place.command(['verify', place.outputPath]),
      command(['result', job]),
      command(['result', job, '-o', place.outputPath]),
    ]);
    expect(verified.stdout).toContain('61 in = 60 ok + 1 failed');
    expect(piped.stdout).toBe(await readFile(place.outputPath, 'utf8'));
    expect(again.code).toBe(0);
    const [shown, list, nobody, json, watch] = await Promise.all([
      command(['status', job.slice(0, 20)]),
      command(['list']),
      command(['status', 'job_nobody']),
      command(['status', job, '--chunks', '--json']),
      command(['watch', job, '--json']),
    ]);
    expect(shown.stdout).toContain(`${job}  completed_with_errors`);
    expect(shown.stdout).toContain('61 / 61 lines, 1 failed');
    expect(list.stdout).toMatch(/^job_\w+ .* completed_with_errors +61 /m);
    expect(nobody).toMatchObject({ code: 2, stderr: 'There is no job job_nobody.\n' });
    const status = JSON.parse(json.stdout);
    expect(status).toMatchObject({
      object: 'job',
      id: job,
      status: 'completed_with_errors',
      counts: { total: 61, succeeded: 60, failed: 1, rejected: 0, pending: 0 },
      chunks: { by_phase: { settled: status.chunks.total } },
    });
    expect(status.chunk_list).toHaveLength(status.chunks.total);
    expect(watch).toMatchObject({ code: 3, stderr: '' });
    const last = JSON.parse(watch.stdout.trimEnd().split('\n').at(-1) ?? '');
    expect(last).toMatchObject({ type: 'done', job, succeeded: 60, failed: 1 });
  });

  test('shows what failed, and sends it again', async () => {
    const { job, command, service } = await openFinished();
    const [groups, lines, none] = await Promise.all([
      command(['errors', job]),
      command(['errors', job, '--lines', '--json']),
      command(['retry', job]),
    ]);
    expect(groups.stdout).toContain('400 context_length_exceeded');
    expect(JSON.parse(lines.stdout)).toMatchObject({ line: 61, custom_id: 'doomed-1' });
    expect(none.code, none.stderr).toBe(4);
    service.simulator.controls.clearFaults();
    const again = await command(['retry', job, '--class', '400 context_length_exceeded']);
    expect(again.code, again.stderr).toBe(0);
    const watched = await command(['watch', again.stdout.trimEnd()]);
    expect(watched.code, watched.stderr).toBe(0);
    expect(watched.stderr).toContain('completed: 1 line = 1 ok + 0 failed');
  });

  test('gives its answered lines, its failed lines, or all as they come', async () => {
    const { place, service, command, submit } = await openClient([...LINES, DOOMED]);
    service.simulator.controls.setFault({ name: 'line_error_400', match: 'doomed' });
    const job = await submit(...CHUNKS);
    const followed = await command(['result', job, '--follow', '-o', place.outputPath]);
    expect(followed.code, followed.stderr).toBe(0);
    const [whole, ok, failed, partial] = await Promise.all([
      command(['result', job]),
      command(['result', job, '--ok']),
      command(['result', job, '--failed']),
      command(['result', job, '--partial']),
    ]);
    expect(whole.stdout.split('\n')).toHaveLength(62);
    expect(await readFile(place.outputPath, 'utf8')).toBe(whole.stdout);
    expect(partial.stdout).toBe(whole.stdout);
    expect(ok.stdout + failed.stdout).toBe(whole.stdout);
    expect(failed.stdout).toContain('"doomed-1"');
  });

  test('has no result before it is over; is paused, resumed and cancelled', async () => {
    const { service, command, submit } = await openClient(LINES);
    service.simulator.controls.setFault({ name: 'stuck_finalizing' });
    const job = await submit(...CHUNKS);
    const [result, partial] = await Promise.all([
      command(['result', job]),
      command(['result', job, '--partial']),
    ]);
    expect(result).toMatchObject({ code: 4, stdout: '' });
    expect(result.stderr).toContain(`batchwright watch ${job}`);
    expect(partial, partial.stderr).toMatchObject({ code: 0, stdout: '' });
    await eventually(() => expect(service.simulator.controls.batches()).not.toEqual([]));
    const paused = await command(['pause', job]);
    expect(paused).toMatchObject({ code: 0, stdout: `${job}  paused\n` });
    const resumed = await command(['resume', job]);
    expect(resumed).toMatchObject({ code: 0, stdout: `${job}  running\n` });
    const cancelled = await command(['cancel', job]);
    expect(cancelled.code, cancelled.stderr).toBe(6);
    expect(await command(['resume', job])).toMatchObject({ code: 4, stdout: '' });
    const again = await command(['cancel', job]);
    expect(again).toMatchObject({ code: 6, stderr: expect.stringContaining('is over already') });
  });
});

describe('submit', () => {
  test('takes gzip and standard input as what they hold, with what belongs to them', async () => {
    const { place, service, command } = await openClient([]);
    const packed = gzipSync(asInput(LINES));
    const path = `${place.inputPath}.gz`;
    await writeFile(path, packed);
    const more = ['--metadata', 'team=labels', '--metadata', 'run=7=8', '--name', 'nightly'];
    const submitted = await Promise.all([
      command(['submit', path, ...more]),
      command(['submit', '-', ...more], {}, packed),
    ]);
    for (const { code, stdout, stderr } of submitted) {
      expect(code, stderr).toBe(0);
      const { json } = await call('GET', `${service.url}/v1/jobs/${stdout.trimEnd()}`);
      expect(json).toMatchObject({ name: 'nightly', metadata: { team: 'labels', run: '7=8' } });
      const watched = await command(['watch', stdout.trimEnd()]);
      expect(watched.code, watched.stderr).toBe(0);
      expect(watched.stderr).toContain('60 lines = 60 ok + 0 failed');
    }
  });

  test('with an idempotency key makes one job of the same, none of something else', async () => {
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
    const { place, service, command } = await openClient(LINES);
    const args = ['submit', place.inputPath, '--dry-run'];
    const [plan, large] = await Promise.all([
      command([...args, ...CHUNKS]),
      command([...args, '--max-requests', '60000']),
    ]);
    expect(plan.code, plan.stderr).toBe(0);
    expect(plan.stdout).toContain('60 requests');
    expect(large, large.stderr).toMatchObject({ code: 2, stdout: '' });
    await place.writeInput(asInput([...LINES, '{"custom_id":']));
    const [bad, skipped] = await Promise.all([
      command(args),
      command([...args, '--on-invalid', 'skip']),
    ]);
    expect(bad.code).toBe(4);
    expect(bad.stderr).toContain('line 61: ');
    expect(skipped).toMatchObject({ code: 0, stdout: expect.stringContaining('1 rejected line') });
    expect(await service.store.jobs.list()).toEqual([]);
  });

  test('with bad lines makes a job that fails, and watch names the lines', async () => {
    const { command, submit } = await openClient(['{"custom_id":', ...LINES]);
    const job = await submit();
    const watched = await command(['watch', job]);
    expect(watched.code).toBe(4);
    expect(watched.stderr).toMatch(/^line 1: /m);
    const [result, errors] = await Promise.all([
      command(['result', job]),
      command(['errors', job, '--lines']),
    ]);
    expect(result).toMatchObject({ code: 4, stderr: expect.stringContaining('nothing of it') });
    expect(errors.stdout).toMatch(/^line 1 /);
  });

  test('of what cannot be read asks no service', async () => {
    const place = await openPlace('http://127.0.0.1:9/v1');
    await place.writeInput('');
    for (const [args, code, says] of [
      [['none.jsonl'], 2, /no file none\.jsonl/],
      [['.'], 2, /is not a file/],
      [[place.inputPath], 4, /is empty/],
    ] as const) {
      const ended = await place.command(['submit', ...args, '--url', 'http://127.0.0.1:9']);
      expect(ended, ended.stderr).toMatchObject({ code, stdout: '' });
      expect(ended.stderr).toMatch(says);
    }
  });
});
