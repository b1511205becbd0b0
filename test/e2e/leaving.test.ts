/** Runs that end before their job does, and the same command that finishes it. */

import { readdir } from 'node:fs/promises';

import { expect, test } from 'vitest';

import { expectAnswered, expectPaidOnce, mixedLines, readResult } from '../support/sets.ts';
import { openScene } from './scene.ts';

const LINES = mixedLines(60);
const OPTIONS = ['--max-requests', '20'];

test('Ctrl-C detaches with 5 and says how to go on; the same command finishes', async () => {
  const { place, simulator } = await openScene(LINES);
  simulator.controls.setFault({ name: 'stuck_finalizing' });
  const run = place.start(place.runArgs(...OPTIONS));
  await simulator.controls.until('batch_status', ({ status }) => status === 'finalizing');
  run.signal('SIGINT');
  const detached = await run.ended;
  expect(detached.code).toBe(5);
  expect(detached.stderr).toContain(`batchwright run ${place.inputPath} -o ${place.outputPath}`);
  expect(await readdir(place.folder)).not.toContain('out.jsonl');
  simulator.controls.clearFaults();
  const ended = await place.command(place.runArgs(...OPTIONS));
  expect(ended.code, ended.stderr).toBe(0);
  expect(ended.stderr).toContain('attached');
  expectAnswered(await readResult(place.outputPath), LINES);
  expectPaidOnce(simulator, LINES.length);
});

test('Ctrl-C twice leaves at once with 130, and nothing is lost', async () => {
  const { place, simulator } = await openScene(LINES);
  const hold = simulator.controls.hold('upload', 'before');
  const run = place.start(place.runArgs(...OPTIONS));
  await hold.reached;
  run.signal('SIGINT');
  await run.says(/Leaving/);
  run.signal('SIGINT');
  expect((await run.ended).code).toBe(130);
  hold.release();
  expect((await place.command(place.runArgs(...OPTIONS))).code).toBe(0);
  expectPaidOnce(simulator, LINES.length);
});

test('the brake stops sending with 4; with a higher bound the job goes on', async () => {
  const { place, simulator } = await openScene(LINES);
  simulator.controls.setFault({ name: 'line_error_400' });
  const slowly = ['--max-requests', '6', '--max-live-batches', '1'];
  const braked = await place.command(place.runArgs(...slowly, '--max-errors', '10'));
  expect(braked.code, braked.stderr).toBe(4);
  expect(braked.stderr).toContain('--max-errors');
  expect(simulator.ledger.totals().requestsExecuted).toBeLessThan(LINES.length);
  const still = await place.command(place.runArgs(...slowly, '--max-errors', '90%'));
  expect(still.code, still.stderr).toBe(4);
  simulator.controls.clearFaults();
  const ended = await place.command(place.runArgs(...slowly, '--max-errors', '1000'));
  expect(ended.code, ended.stderr).toBe(3);
  expect(await readResult(place.outputPath)).toHaveLength(LINES.length);
  expect(simulator.ledger.totals().requestsPaid).toBeGreaterThan(0);
});

for (const [fault, code, says] of [
  ['unauthorized_401', 2, /OPENAI_API_KEY/],
  ['insufficient_quota', 4, /credit/],
] as const) {
  for (const operation of ['upload', 'create', 'retrieve'] as const) {
    test(`${fault} at ${operation} pauses with ${code}; the same command resumes`, async () => {
      const { place, simulator } = await openScene(LINES);
      simulator.controls.setFault({ name: `${operation}_${fault}` });
      const paused = await place.command(place.runArgs(...OPTIONS));
      expect(paused.code, paused.stderr).toBe(code);
      expect(paused.stderr).toMatch(says);
      expect(paused.stderr).toContain(`batchwright run ${place.inputPath}`);
      simulator.controls.clearFaults();
      const ended = await place.command(place.runArgs(...OPTIONS));
      expect(ended.code, ended.stderr).toBe(0);
      expectAnswered(await readResult(place.outputPath), LINES);
      expectPaidOnce(simulator, LINES.length);
    });
  }
}
