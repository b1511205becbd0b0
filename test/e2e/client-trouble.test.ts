/** The client commands where connections break, keys are wrong, or there is no service at all. */

import { readFile, writeFile } from 'node:fs/promises';

import { describe, expect, test } from 'vitest';

import { openCuttingProxy } from '../support/cutting-proxy.ts';
import { eventually, sha256 } from '../support/program.ts';
import { call } from '../support/service.ts';
import { CHUNKS, LINES, openClient, openLarge } from './client-scene.ts';
import { openScene } from './scene.ts';

describe('a connection that breaks', () => {
  test('is made again, and a download goes on where it stopped, another time too', async () => {
    const { place, whole, proxy, fetch } = await openLarge();
    proxy.cutAfter(200_000, 3);
    const cut = await fetch('-o', place.outputPath);
    expect(cut.code, cut.stderr).toBe(0);
    expect(proxy.cuts()).toBe(3);
    expect(await readFile(place.outputPath)).toEqual(whole);
    expect(proxy.bytes()).toBeLessThan(whole.length + 100_000);
    proxy.cutAfter(200_000, 2);
    expect(Buffer.from((await fetch()).stdout)).toEqual(whole);
    expect(proxy.cuts()).toBe(5);

    const begun = `${place.outputPath}.${sha256(whole).slice(0, 12)}.partial`;
    const there = whole.length - 50_000;
    await writeFile(begun, whole.subarray(0, there));
    await writeFile(place.outputPath, 'of another run');
    const before = proxy.bytes();
    expect((await fetch('-o', place.outputPath)).code).toBe(0);
    expect(proxy.bytes() - before).toBeLessThan(100_000);
    expect(await readFile(place.outputPath)).toEqual(whole);

    // Begun by something else: told by its sha256, removed, and fetched anew the next time.
    await writeFile(begun, Buffer.alloc(there, 'x'));
    await writeFile(place.outputPath, 'of another run');
    const spoilt = await fetch('-o', place.outputPath);
    expect(spoilt).toMatchObject({ code: 1, stderr: expect.stringContaining('sha256') });
    expect(await readFile(place.outputPath, 'utf8')).toBe('of another run');
    expect((await fetch('-o', place.outputPath)).code).toBe(0);
    expect(await readFile(place.outputPath)).toEqual(whole);
  });

  test('does not end a watch; Ctrl-C does, and cancels nothing: exit code 5', async () => {
    const { service, submit, start, command } = await openClient(LINES);
    service.simulator.controls.setFault({ name: 'stuck_finalizing' });
    const job = await submit(...CHUNKS);
    const proxy = await openCuttingProxy(service.url);
    const watch = start(['watch', job, '--url', proxy.url]);
    const left = start(['watch', job]);
    await Promise.all([watch.says(/ \/ 60/), left.says(/ \/ 60/)]);
    left.signal('SIGINT');
    const detached = await left.ended;
    expect(detached.code, detached.stderr).toBe(5);
    expect(detached.stderr).toContain(`batchwright watch ${job}`);
    expect(detached.stderr).not.toContain('cannot be reached');
    expect((await command(['status', job])).stdout).toContain('running');
    proxy.cutAll();
    await watch.says(/cannot be reached/);
    service.simulator.controls.clearFaults();
    const ended = await watch.ended;
    expect(ended.code, ended.stderr).toBe(0);
  });
});

describe('a service', () => {
  test('that wants a key says so to who has none, or a wrong one', async () => {
    const { service, place, command } = await openClient(LINES);
    const env = { BATCHWRIGHT_DATA_DIR: service.config.dataDir };
    const made = await place.command(['keys', 'create', '--tenant', 'acme'], env);
    const key = made.stdout.trimEnd();
    const right = { BATCHWRIGHT_API_KEY: key };
    const jobs = `${service.url}/v1/jobs`;
    await eventually(async () => expect((await call('GET', jobs)).status).toBe(401));
    const wrong = { BATCHWRIGHT_API_KEY: `${key.slice(0, -2)}__` };
    const [none, bad, good, refused] = await Promise.all([
      command(['list']),
      command(['list'], wrong),
      command(['list'], right),
      command(['submit', place.inputPath], wrong),
    ]);
    for (const ended of [none, bad, refused]) {
      expect(ended, ended.stderr).toMatchObject({ code: 2, stdout: '' });
      expect(ended.stderr).toContain('BATCHWRIGHT_API_KEY');
    }
    expect(good.code, good.stderr).toBe(0);
    const submitted = await command(['submit', place.inputPath], right);
    expect(submitted.code, submitted.stderr).toBe(0);
    expect((await command(['list'], right)).stdout).toContain(submitted.stdout.trimEnd());
  });

  test('that is not there, or is another one: what to type', async () => {
    const { place, simulator } = await openScene(LINES);
    const job = `job_${'0'.repeat(26)}`;
    for (const args of [
      ['submit', place.inputPath],
      ['watch', job],
    ]) {
      const gone = await place.command([...args, '--url', 'http://127.0.0.1:9']);
      expect(gone, gone.stderr).toMatchObject({ code: 2, stdout: '' });
      expect(gone.stderr).toContain('batchwright serve');
    }
    const other = await place.command(['list'], { BATCHWRIGHT_URL: simulator.url });
    expect(other).toMatchObject({ code: 1, stdout: '' });
    expect(other.stderr).toContain('BATCHWRIGHT_URL');
    const env = { BATCHWRIGHT_URL: simulator.url };
    const local = await place.command(['list', '--data-dir', place.dataDir], env);
    expect(local).toMatchObject({ code: 0, stderr: `No jobs in ${place.dataDir}.\n` });
  });
});

describe('without a service', () => {
  test('submit and retry say which setting is missing', async () => {
    const { place } = await openScene(LINES);
    for (const args of [
      ['submit', place.inputPath],
      ['retry', 'job_x'],
      ['result', 'job_x', '--follow'],
    ]) {
      const ended = await place.command(args);
      expect(ended).toMatchObject({ code: 2, stdout: '' });
      expect(ended.stderr).toContain('BATCHWRIGHT_URL');
    }
  });

  test('watch shows what another process does with a job, and ends with it', async () => {
    const { place, simulator } = await openScene(LINES);
    simulator.controls.setFault({ name: 'stuck_finalizing' });
    const run = place.start(place.runArgs(...CHUNKS));
    await run.says(/job_/);
    const job = /job_[0-9a-z]{26}/.exec(run.stderr())?.[0] ?? '';
    const [watch, left] = [place.start(['watch', job]), place.start(['watch', job])];
    await Promise.all([watch.says(/0 \/ 60/), left.says(/0 \/ 60/)]);
    left.signal('SIGINT');
    expect((await left.ended).code).toBe(5);
    simulator.controls.clearFaults();
    const ended = await watch.ended;
    expect(ended.code, ended.stderr).toBe(0);
    expect(ended.stderr).toContain('completed: 60 lines = 60 ok + 0 failed');
    expect((await run.ended).code).toBe(0);
  });
});
