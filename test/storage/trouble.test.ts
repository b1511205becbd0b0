/** A disk that refuses while the real program runs: one alert, and it goes on by itself. */

import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { describe, expect, it, test } from 'vitest';

import type { StrikeAction } from '../crash/strike.ts';
import { strikeEnvironment } from '../crash/strike.ts';
import { openScene } from '../e2e/scene.ts';
import { eventually, type Place } from '../support/program.ts';
import { expectAnswered, expectNothingSent, expectPaidOnce, readResult } from '../support/sets.ts';
import { requestLine } from '../support/sets.ts';

const LINES = Array.from({ length: 4 }, (_, index) => requestLine(`line-${index}`));

describe('the data directory', () => {
  test.each([
    ['ENOSPC', 'chunk event submitting: before link', /is full: .* free .*by itself/],
    ['ENOSPC', 'chunk event submitted: after flush', /is full: .* free .*by itself/],
    ['ENOSPC', 'scratch merge result.jsonl: torn write', /is full: .* free .*by itself/],
    ['EROFS', 'chunk event uploaded: before write', /is read-only.*by itself/],
    ['EACCES', 'scratch plan folder: before make', /must not be written to by this user/],
    ['EIO', 'attempt output: before rename', /is on a disk that fails/],
  ] as const)('is waited for after %s at "%s"', async (action, point, alert) => {
    const { place, simulator } = await openScene(LINES);
    const trouble = troubleIn(place, point, action);
    const run = place.start(place.runArgs(), trouble.env);
    await run.says(alert);
    await trouble.end();
    const { code, stderr } = await run.ended;
    expect(code).toBe(0);
    expect(stderr.match(/^▲/gm)).toHaveLength(1);
    expect(stderr).toMatch(/can be used again/);
    expect(stderr).not.toMatch(/^△.*struck at/m);
    expectAnswered(await readResult(place.outputPath), LINES);
    expectPaidOnce(simulator, LINES.length);
    expect(simulator.controls.files()).toEqual([]);
  });

  test.each([
    ['EROFS', 'store folder: before make', 2],
    ['ENOSPC', 'run key: before write', 4],
    ['EACCES', 'job event created: before link', 2],
  ] as const)('refuses a run at once where it answers %s at its first write', async (...row) => {
    const [action, point, exit] = row;
    const { place, simulator } = await openScene(LINES);
    const trouble = troubleIn(place, point, action);
    const { code, stderr } = await place.command(place.runArgs(), trouble.env);
    expect(code).toBe(exit);
    expect(stderr).toMatch(new RegExp(`A file could not be used: ${action}.*\n.*Mend that`));
    expectNothingSent(simulator);
    expect((await place.command(place.runArgs())).code).toBe(0);
    expectPaidOnce(simulator, LINES.length);
  });
});

describe('the place of the result', () => {
  test.each([
    ['ENOSPC', 'delivered result: before copy', /has no room left \(ENOSPC\)/],
    ['ENOSPC', 'delivered manifest: torn copy', /has no room left \(ENOSPC\)/],
    ['EROFS', 'delivered result: before rename', /is read-only \(EROFS\)/],
    ['EACCES', 'delivered manifest: before copy', /cannot be written to \(EACCES\)/],
  ] as const)('keeps what it had after %s at "%s"', async (action, point, refusal) => {
    const { place, simulator } = await openScene(LINES);
    await writeFile(place.outputPath, 'of another run\n');
    const trouble = troubleIn(place, point, action);
    const { code, stderr } = await place.command(place.runArgs(), trouble.env);
    expect(code).toBe(4);
    expect(stderr).toMatch(refusal);
    expect(stderr).toMatch(/kept as \S*result\.jsonl/);
    expect(await readFile(place.outputPath, 'utf8')).toBe('of another run\n');
    expect((await place.command(place.runArgs())).code).toBe(0);
    expectAnswered(await readResult(place.outputPath), LINES);
    expectPaidOnce(simulator, LINES.length);
  });

  it('is found out to be of no use before anything is sent', async () => {
    const { place, simulator } = await openScene(LINES);
    await mkdir(join(place.folder, 'folder'));
    await mkdir(join(place.folder, 'taken.manifest.json'));
    await symlink('round', join(place.folder, 'round'));
    const rows = [
      ['folder', /is a folder/],
      ['taken', /taken\.manifest\.json is not a file, and the manifest goes there/],
      ['round', /is a link without an end/],
      ['x'.repeat(220), /too long: at most 205 bytes/],
      ['absent/out', /absent is not a folder/],
    ] as const;
    for (const [name, refusal] of rows) {
      const args = ['run', place.inputPath, '-o', join(place.folder, name)];
      const { code, stderr } = await place.command(args);
      expect(stderr).toMatch(refusal);
      expect(code).toBe(2);
    }
    expectNothingSent(simulator);
  });

  it('is what a link points to, even where nothing is there yet', async () => {
    const { place } = await openScene(LINES);
    await mkdir(join(place.folder, 'deep'));
    await symlink('deep/real.jsonl', place.outputPath);
    expect((await place.command(place.runArgs())).code).toBe(0);
    expectAnswered(await readResult(join(place.folder, 'deep/real.jsonl')), LINES);
    const verified = await place.command(['verify', join(place.folder, 'deep/real.jsonl')]);
    expect(verified.code).toBe(0);
  });

  it('gets its own manifest again where another one lies beside the right result', async () => {
    const { place } = await openScene(LINES);
    expect((await place.command(place.runArgs())).code).toBe(0);
    await writeFile(`${place.outputPath}.manifest.json`, '{}');
    expect((await place.command(place.runArgs())).code).toBe(0);
    expect((await place.command(['verify', place.outputPath])).code).toBe(0);
  });
});

describe('two commands on one data directory', () => {
  it('does not prune a job that is not over, and prunes it afterwards', async () => {
    const { place, simulator } = await openScene(LINES);
    simulator.controls.pause();
    const run = place.start(place.runArgs());
    await eventually(() => expect(simulator.controls.batches()).toHaveLength(1));
    const all = await place.command(['prune', '--older-than-days', '0']);
    expect(all.stderr).toMatch(/0 jobs removed/);
    const one = await place.command(['prune', 'job_']);
    expect(one.code).toBe(4);
    expect(one.stderr).toMatch(/cancel it first/);
    simulator.controls.resume();
    expect((await run.ended).code).toBe(0);
    expectAnswered(await readResult(place.outputPath), LINES);
    expectPaidOnce(simulator, LINES.length);
    const after = await place.command(['prune', '--older-than-days', '0']);
    expect(after.stderr).toMatch(/1 job removed/);
  });

  it('ends both where one cancels what the other runs', async () => {
    const { place, simulator } = await openScene(LINES);
    simulator.controls.pause();
    const run = place.start(place.runArgs());
    await eventually(() => expect(simulator.controls.batches()).toHaveLength(1));
    const cancelling = place.command(['cancel', 'job_']);
    await eventually(async () => {
      const wished = (await place.states()).get('job') as { intent?: { kind: string } } | undefined;
      expect(wished?.intent?.kind).toBe('cancel');
    });
    simulator.controls.resume();
    expect((await cancelling).code).toBe(6);
    expect((await run.ended).code).toBe(6);
    expect(await readResult(place.outputPath)).toHaveLength(LINES.length);
    expect(simulator.ledger.executedTwice()).toEqual([]);
  });

  it('runs different request sets beside each other', async () => {
    const { place, simulator } = await openScene(LINES);
    const other = join(place.folder, 'other.jsonl');
    await writeFile(other, `${requestLine('other')}\n`);
    const both = await Promise.all([
      place.command(place.runArgs()),
      place.command(['run', other, '-o', join(place.folder, 'other.out')]),
    ]);
    expect(both.map(({ code }) => code)).toEqual([0, 0]);
    expectAnswered(await readResult(place.outputPath), LINES);
    expect(await readResult(join(place.folder, 'other.out'))).toHaveLength(1);
    expectPaidOnce(simulator, LINES.length + 1);
  });
});

/** Trouble at the point for as long as it is not ended. */
function troubleIn(place: Place, point: string, action: StrikeAction) {
  const untilExists = join(place.folder, 'room');
  const strike = { point, occurrence: 1, action, count: null, untilExists };
  return { env: strikeEnvironment({ strikes: [strike] }), end: () => writeFile(untilExists, '') };
}
