/** The client commands with a service of their own to talk to. */

import { expect } from 'vitest';

import { openPlace } from '../support/command.ts';
import { openCuttingProxy } from '../support/cutting-proxy.ts';
import type { Place } from '../support/program.ts';
import { openServiceScene, type ServiceScene } from '../support/service.ts';
import { asInput, mixedLines, requestLine } from '../support/sets.ts';

export const LINES = mixedLines(60);
export const CHUNKS = ['--max-requests', '20'];

/** Fails for good in any world that has this fault on. */
export const DOOMED = requestLine('doomed-1');

export interface Client {
  readonly place: Place;
  readonly service: ServiceScene;
  /** Runs a command to its end, against the service. */
  readonly command: Place['command'];
  readonly start: Place['start'];
  /** Submits the place's input; resolves to the job's id. */
  readonly submit: (...more: string[]) => Promise<string>;
}

/** A place whose commands talk to a service; `input` lies there as a file. */
export async function openClient(input: readonly string[]): Promise<Client> {
  const service = await openServiceScene();
  const place = await openPlace(service.simulator.url);
  await place.writeInput(asInput(input));
  const own = { BATCHWRIGHT_URL: service.url };
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
export async function openFinished(input: readonly string[] = [...LINES, DOOMED]) {
  const client = await openClient(input);
  client.service.simulator.controls.setFault({ name: 'line_error_400', match: 'doomed' });
  const job = await client.submit(...CHUNKS);
  const watched = await client.command(['watch', job]);
  expect(watched.code, watched.stderr).toBe(3);
  return { ...client, job, watched };
}

/** A finished job whose result is some megabytes, behind connections that can be cut. */
export async function openLarge() {
  const client = await openClient(mixedLines(3_000));
  const job = await client.submit();
  expect((await client.command(['watch', job])).code).toBe(0);
  const whole = Buffer.from((await client.command(['result', job])).stdout);
  const proxy = await openCuttingProxy(client.service.url);
  const fetch = (...more: string[]) => client.command(['result', job, ...more, '--url', proxy.url]);
  return { ...client, job, whole, proxy, fetch };
}
