/** What people see of a job that needs them, in `status`, `list` and the events of a command. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { homedir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, onTestFinished, test } from 'vitest';

import { eventually, type Place } from '../support/program.ts';
import { requestLine } from '../support/sets.ts';
import { openScene } from './scene.ts';

const LINES = Array.from({ length: 6 }, (_, number) => requestLine(`line-${number}`));

interface ShownAlert {
  readonly code: string;
  readonly chunk: string | null;
  readonly message: string;
  readonly todo: string;
}

/** The alerts of the place's only job as `status --json` has them. */
async function alertsIn(place: Place): Promise<ShownAlert[]> {
  const { stdout, stderr } = await place.command(['status', 'job_', '--json']);
  if (stdout === '') throw new Error(stderr);
  return (JSON.parse(stdout) as { alerts: ShownAlert[] }).alerts;
}

/** Waits for an alert of the code. */
async function alerted(place: Place, code: string): Promise<ShownAlert> {
  return eventually(async () => {
    const alerts = await alertsIn(place);
    const found = alerts.find((one) => one.code === code);
    if (found === undefined) throw new Error(`no ${code} in ${JSON.stringify(alerts)}`);
    return found;
  });
}

/** Waits until none is left. */
async function calm(place: Place): Promise<void> {
  await eventually(async () => expect(await alertsIn(place)).toEqual([]));
}

describe('an alert', () => {
  test('of a batch that is stuck stands in status and list until the batch goes on', async () => {
    const { place, simulator } = await openScene(LINES);
    simulator.controls.setFault({ name: 'stuck_validating' });
    const running = place.start(place.runArgs(), { BATCHWRIGHT_STUCK_ALERT_MS: '500' });
    expect(await alerted(place, 'batch_stuck')).toMatchObject({
      chunk: 'c000000',
      message: expect.stringMatching(/^Batch batch_\w+ is validating for/) as string,
    });
    const { stdout } = await place.command(['status', 'job_']);
    expect(stdout).toMatch(/▲ batch_stuck, 20\d\d-.*: c000000: Batch/);
    expect((await place.command(['list'])).stdout).toMatch(/▲ 1 alert$/m);
    expect(running.stderr()).toMatch(/▲ c000000: Batch batch_\w+ is validating/);
    simulator.controls.clearFaults();
    expect((await running.ended).code).toBe(0);
    await calm(place);
    expect((await place.command(['list'])).stdout).not.toContain('▲');
  });

  test('of a batch that is not found is an event, and outlives its process', async () => {
    const { place, simulator } = await openScene(LINES);
    simulator.controls.setFault({ name: 'stuck_finalizing' });
    simulator.controls.setFault({ name: 'retrieve_404_for_a_while', calls: 1_000_000 });
    const env = { BATCHWRIGHT_MISSING_ALERT_MS: '300' };
    const running = place.start(place.runArgs('--json'), env);
    await alerted(place, 'batch_missing');
    await running.kill();
    expect(await alerted(place, 'batch_missing')).toMatchObject({ chunk: 'c000000' });
    const { stdout } = await running.ended;
    expect(stdout).toMatch(/"type":"notice","level":"alert","code":"batch_missing"/);
    simulator.controls.clearFaults();
    expect((await place.command(place.runArgs())).code).toBe(0);
    await calm(place);
  });

  test('of answers that the provider lost stays with the job', async () => {
    const { place, simulator } = await openScene(LINES);
    simulator.controls.setFault({ name: 'output_file_gone' });
    const ended = await place.command(place.runArgs(), { BATCHWRIGHT_ATTEMPT_PAUSE_MS: '20' });
    expect(ended.code).toBe(3);
    const alert = await alerted(place, 'answers_incomplete');
    expect(alert).toMatchObject({ chunk: 'c000000' });
    expect(alert.todo).toMatch(/batchwright errors/);
    const { stdout } = await place.command(['list', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ alerts: 1 });
  });

  test('tells of a job that nobody works on, and goes when somebody does', async () => {
    const { place, simulator } = await openScene(LINES);
    simulator.controls.setFault({ name: 'stuck_validating' });
    const running = place.start(place.runArgs());
    await simulator.controls.until('batch_created');
    await running.kill();
    const sweeper = startSweeper(place, simulator.url);
    const alert = await alerted(place, 'job_idle');
    expect(alert.chunk).toBeNull();
    expect(alert.message).toMatch(/is due \((poll|dispatch)/);
    const again = place.start(place.runArgs());
    await calm(place);
    simulator.controls.clearFaults();
    expect((await again.ended).code).toBe(0);
    sweeper.kill('SIGTERM');
    await once(sweeper, 'close');
  });
});

/** A worker process that serves no queue. */
function startSweeper(place: Place, baseUrl: string) {
  const path = join(import.meta.dirname, '../../workers/sweep.ts');
  const child = spawn(process.execPath, [path], {
    cwd: place.folder,
    stdio: 'ignore',
    env: {
      PATH: process.env['PATH'],
      HOME: place.folder,
      OPENAI_BASE_URL: baseUrl,
      BATCHWRIGHT_DATA_DIR: place.dataDir,
      BATCHWRIGHT_RUNTIME_DIR: place.runtimeDir,
      BATCHWRIGHT_CACHE_DIR: join(homedir(), '.cache', 'batchwright'),
      BATCHWRIGHT_SWEEP_INTERVAL_MS: '500',
    },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}
