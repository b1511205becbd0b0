/** The service as a process: how it begins, and how it ends when it is asked to. */

import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { request } from 'node:http';
import { basename, join } from 'node:path';
import { text } from 'node:stream/consumers';

import { expect, test } from 'vitest';

import type { Place, Running } from '../support/program.ts';
import { eventually } from '../support/program.ts';
import { call } from '../support/service.ts';
import { asInput, expectPaidOnce, mixedLines } from '../support/sets.ts';
import { openScene } from './scene.ts';

const LINES = mixedLines(30);
const JSONL = { 'content-type': 'application/jsonl' };

async function serve(place: Place, env: NodeJS.ProcessEnv = {}) {
  const running = place.start(['serve', '--port', '0'], env);
  await running.says(/listens at http\S+/);
  const [, url = ''] = /listens at (http\S+)/.exec(running.stderr()) ?? [];
  return { running, url };
}

/** An upload that the service has begun to take, and that is not at its end. */
async function beginUpload(url: string, { dataDir }: Place): Promise<ClientRequest> {
  const headers = { ...JSONL, expect: '100-continue' };
  const upload = request(`${url}/v1/jobs`, { method: 'POST', headers });
  upload.on('error', () => undefined);
  upload.flushHeaders();
  await once(upload, 'continue');
  upload.write(asInput(LINES.slice(0, 10)));
  // Node says `continue` before anybody has looked at the request.
  await eventually(async () => {
    const names = await readdir(join(dataDir, 'scratch'), { recursive: true });
    expect(names.map((name) => basename(name))).toContain('body');
  });
  return upload;
}

async function answerOf(upload: ClientRequest) {
  const [response] = (await once(upload, 'response')) as [IncomingMessage];
  const json = JSON.parse(await text(response)) as Record<string, unknown>;
  return { status: response.statusCode, json };
}

async function terminate(running: Running): Promise<void> {
  running.signal('SIGTERM');
  await running.says(/Leaving/);
}

test('after SIGTERM an upload comes to its end and is accepted, and the job is done', async () => {
  const { place, simulator } = await openScene(LINES);
  const { running, url } = await serve(place);
  const upload = await beginUpload(url, place);
  await terminate(running);
  // Nothing new is taken any more.
  await expect(fetch(`${url}/healthz`)).rejects.toThrow('fetch failed');
  upload.end(asInput(LINES.slice(10)));
  const { status, json } = await answerOf(upload);
  expect(status).toBe(202);
  const ended = await running.ended;
  expect(ended.code, ended.stderr).toBe(0);
  const logged = ended.stdout.split('\n').filter((line) => line.includes('"/v1/jobs"'));
  expect(logged.map((line) => (JSON.parse(line) as { status: number }).status)).toEqual([202]);

  const next = await serve(place);
  await eventually(async () => {
    const found = await call('GET', `${next.url}/v1/jobs/${String(json['id'])}`);
    expect(found.json['status']).toBe('completed');
  });
  await terminate(next.running);
  expect((await next.running.ended).code).toBe(0);
  expectPaidOnce(simulator, LINES.length);
});

test('after SIGTERM streams without an end of their own end, and the process is gone', async () => {
  const { place, simulator } = await openScene(LINES);
  simulator.controls.setFault({ name: 'stuck_finalizing' });
  const { running, url } = await serve(place);
  const made = await call('POST', `${url}/v1/jobs`, { body: asInput(LINES), headers: JSONL });
  const job = `${url}/v1/jobs/${String(made.json['id'])}`;
  await simulator.controls.until('batch_status', ({ status }) => status === 'finalizing');
  const events = await fetch(`${job}/events`);
  const followed = await fetch(`${job}/result?follow=1`);
  expect([events.status, followed.status]).toEqual([200, 200]);
  await terminate(running);
  await Promise.allSettled([events.text(), followed.text()]);
  const ended = await running.ended;
  expect(ended.code, ended.stderr).toBe(0);
  expect(ended.stderr).not.toContain('cut off');
  simulator.controls.clearFaults();
});

test('a second SIGTERM ends the process at once; a taken port is refused with 2', async () => {
  const { place } = await openScene(LINES);
  const { running, url } = await serve(place, { BATCHWRIGHT_WORKERS: 'none' });
  const { port } = new URL(url);
  const second = await place.command(['serve', '--port', port, '--workers', 'none']);
  expect(second.code, second.stderr).toBe(2);
  expect(second.stderr).toContain(`127.0.0.1, port ${port} cannot be used (EADDRINUSE): choose`);
  const upload = await beginUpload(url, place);
  await terminate(running);
  running.signal('SIGTERM');
  expect((await running.ended).code).toBe(130);
  upload.destroy();
});

test('doctor asks the service that BATCHWRIGHT_URL names, and says what it lacks', async () => {
  const { place } = await openScene(LINES);
  const lacking = { BATCHWRIGHT_WORKERS: 'none', BATCHWRIGHT_MIN_FREE_BYTES: '9007199254740991' };
  const { running, url } = await serve(place, lacking);
  const ill = await place.command(['doctor'], { BATCHWRIGHT_URL: url });
  expect(ill.code, ill.stdout).toBe(2);
  expect(ill.stdout).toMatch(/✘ service: http\S+\n\s+It cannot take work now/);
  expect(ill.stdout).toContain('✔ service: redis: private Redis at');
  expect(ill.stdout).toMatch(/✘ service: room: .*\n\s+Less than .*make room/);
  expect(ill.stdout).toContain('✔ BATCHWRIGHT_API_KEY: the service takes it');
  await running.kill();
  const gone = await place.command(['doctor', '--json', '--url', url]);
  expect(gone.code).toBe(2);
  const findings = gone.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { check: string; problem: string | null });
  expect(findings.map(({ check, problem }) => [check, problem === null])).toEqual([
    ['Node', true],
    ['service', false],
  ]);
  expect(findings[1]?.problem).toMatch(/ECONNREFUSED.*batchwright serve/);
});
