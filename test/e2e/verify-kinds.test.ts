/** The audit of jobs that are unlike others: adopted, cancelled, sent again, all rejected. */

import { basename } from 'node:path';
import { expect, test } from 'vitest';
import { otherTool } from '../support/other-tool.ts';
import type { Place } from '../support/program.ts';
import { asInput, mixedLines, requestLine } from '../support/sets.ts';
import { openScene } from './scene.ts';

const FAILED_LINES = 3;
const CANCELLED = 6;

test('a job of batches that another tool made is proven from its bytes', async () => {
  const { place, simulator } = await openScene([]);
  const lines = Array.from({ length: 30 }, (_, index) => requestLine(`é-${index}`));
  const tool = otherTool(simulator.url);
  const ids = [
    await tool.send(asInput(lines.slice(0, 10))),
    await tool.send(asInput(lines.slice(10))),
  ];
  const adopted = await place.command(['adopt', ...ids, '-o', place.outputPath]);
  expect(adopted.code, adopted.stderr).toBe(0);
  await expectProven(place);
});

test('a job whose batches expired and failed in part is proven from its bytes', async () => {
  const flakiness = { permanentRate: 0.1, retryableRate: 0.2, expiredRate: 0.5 };
  const { place } = await openScene(mixedLines(30), { flakiness, timeFactor: 86_400 });
  const ran = await place.command(place.runArgs('--max-requests', '15', '--max-attempts', '2'));
  expect(ran.code, ran.stderr).toBe(FAILED_LINES);
  await expectProven(place);
});

test('a job that was cancelled in the middle is proven from its bytes', async () => {
  const { place, simulator } = await openScene(mixedLines(60));
  const hold = simulator.controls.hold('retrieve', 'before');
  const run = place.start(place.runArgs('--max-requests', '10', '--max-live-batches', '1'));
  await hold.reached;
  const cancelling = place.command(['cancel', basename(await place.jobFolder())]);
  hold.release();
  const cancelled = await cancelling;
  expect(cancelled.code, cancelled.stderr).toBeOneOf([0, CANCELLED]);
  expect((await run.ended).code).toBe(CANCELLED);
  await expectProven(place);
});

test('a job of rejected lines only is proven from its bytes', async () => {
  const { place } = await openScene(['{"custom_id":"a"}', '{"custom_id":"a"}', 'no json']);
  const ran = await place.command(place.runArgs('--on-invalid', 'skip'));
  expect(ran.code, ran.stderr).toBe(FAILED_LINES);
  await expectProven(place);
});

async function expectProven(place: Place): Promise<void> {
  const { code, stderr } = await place.command(['verify', basename(await place.jobFolder())]);
  expect(code, stderr).toBe(0);
}
