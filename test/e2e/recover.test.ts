/** A data directory that was copied, robbed or lost: what recover finds, mends and says. */

import { appendFile, cp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { otherTool } from '../support/other-tool.ts';
import { eventually, type Place } from '../support/program.ts';
import {
  asInput,
  expectAnswered,
  expectPaidOnce,
  readResult,
  requestLine,
} from '../support/sets.ts';
import { openScene, type Scene } from './scene.ts';

const LINES = Array.from({ length: 120 }, (_, index) => requestLine(`r-${index}`));
const OPTIONS = ['--max-requests', '40'];

/** Virtual time stands still, so that batches stay alive. */
const STILL = { clock: 'manual' } as const;

const HOUR_MS = 3_600_000;

interface Said {
  readonly type: string;
  readonly status?: string;
  readonly mended?: readonly string[];
  readonly damage?: readonly string[];
  readonly batches?: readonly string[];
  readonly installation?: string;
  readonly file?: string;
  readonly adopt?: string;
  readonly batch?: string;
  readonly given?: boolean;
  readonly unrecorded?: readonly string[];
}

/** A run that has one chunk settled and two batches alive, and then dies. */
async function dieHalfWay({ place, simulator }: Scene): Promise<void> {
  const run = place.start(place.runArgs(...OPTIONS));
  await eventually(() => expect(simulator.controls.batches()).toHaveLength(3));
  const [first] = simulator.controls.batches();
  simulator.controls.order(String(first?.id), { kind: 'complete' });
  await eventually(async () => {
    const statuses = [...(await place.states()).values()].map(({ status }) => status);
    expect(statuses.toSorted()).toEqual(['planned', 'settled', 'submitted', 'submitted']);
  });
  await run.kill();
}

async function recover(
  place: Place,
  ...args: string[]
): Promise<{ code: number | null; said: Said[] }> {
  const { code, stdout, stderr } = await place.command(['recover', '--json', ...args]);
  expect(stderr).toBe('');
  const lines = stdout.trimEnd().split('\n');
  return { code, said: lines.map((line) => JSON.parse(line) as Said) };
}

async function undisturbed(): Promise<string> {
  const { place } = await openScene(LINES);
  expect((await place.command(place.runArgs(...OPTIONS))).code).toBe(0);
  return place.outputSha256();
}

describe('a copy of a data directory', () => {
  test('that lost its marks, keys and a part is mended, and the same command ends it', async () => {
    const scene = await openScene(LINES, STILL);
    const { place, simulator } = scene;
    await dieHalfWay(scene);
    const copy = join(place.folder, 'copy');
    await cp(place.dataDir, copy, { recursive: true });
    await rm(place.dataDir, { recursive: true });
    const local = join(copy, 'store/local');
    const [job = ''] = await readdir(join(local, 'jobs'));
    for (const lost of ['open', 'keys', `jobs/${job}/settled`]) {
      // The mark of the settled chunk may not have been made yet.
      await rm(join(local, lost), { recursive: true, force: true });
    }
    const settled = await settledChunk(join(local, 'jobs', job));
    const parts = (await readdir(settled)).filter((name) => name.startsWith('part-'));
    expect(parts).toHaveLength(1);
    await rm(join(settled, String(parts[0])));

    const env = { BATCHWRIGHT_RUNTIME_DIR: join(place.folder, 'run-of-copy') };
    const { code, said } = await recover(place, '--data-dir', copy);
    expect(code).toBe(0);
    const mended = said.find(({ type }) => type === 'job')?.mended?.join('\n');
    expect(mended).toMatch(/settled mark is made again/);
    expect(mended).toMatch(/part is made again/);
    expect(mended).toMatch(/the same command leads to it/);
    expect(mended).toMatch(/workers look after it again/);
    const again = await recover(place, '--data-dir', copy);
    expect(again.said.find(({ type }) => type === 'job')).toMatchObject({ mended: [], damage: [] });

    await simulator.controls.advance(HOUR_MS);
    const ended = await place.command(place.runArgs(...OPTIONS, '--data-dir', copy), env);
    expect(ended.code, ended.stderr).toBe(0);
    expect(ended.stderr).toContain('(attached)');
    expect(await place.outputSha256()).toBe(await undisturbed());
    expectPaidOnce(simulator, LINES.length);
    expect(simulator.controls.batches()).toHaveLength(3);
  });

  test('with damage is told apart object by object, and left as it is', async () => {
    const scene = await openScene(LINES, STILL);
    const { place } = scene;
    await dieHalfWay(scene);
    const job = await place.jobFolder();
    const journal = join(job, 'journal');
    const [first, second, third] = (await readdir(journal)).filter((name) => name !== 'job');
    const torn = join(journal, String(first), '00000001.json');
    await writeFile(torn, '{"eventId":');
    await rm(join(journal, String(second), '00000002.json'));
    const forged = join(journal, String(third), '00000001.json');
    const entry = JSON.parse(await readFile(forged, 'utf8')) as { state: { nextAttempt: number } };
    entry.state.nextAttempt = 9;
    await writeFile(forged, JSON.stringify(entry));
    const { code, said } = await recover(place);
    expect(code).toBe(4);
    const damage = said.find(({ type }) => type === 'job')?.damage ?? [];
    expect(damage).toHaveLength(3);
    expect(damage[0]).toContain(`${first}/00000001.json`);
    expect(damage[1]).toContain(`${second}/00000002.json`);
    expect(damage[2]).toMatch(new RegExp(`entry 1 of .*/${third}: its event uploaded`));
    expect(await readFile(torn, 'utf8')).toBe('{"eventId":');
  });

  test('whose result was changed is named with it', async () => {
    const { place } = await openScene(LINES);
    expect((await place.command(place.runArgs(...OPTIONS))).code).toBe(0);
    expect((await recover(place)).code).toBe(0);
    const result = join(await place.jobFolder(), 'result.jsonl');
    await appendFile(result, '{}\n');
    const { code, said } = await recover(place);
    expect(code).toBe(4);
    expect(said[0]?.damage?.join()).toMatch(/result\.jsonl has \d+ bytes, not \d+/);
  });
});

describe('an older copy that is restored', () => {
  test('gets back the batches that it has forgotten, before anything is sent anew', async () => {
    const scene = await openScene(LINES, STILL);
    const { place, simulator } = scene;
    await dieHalfWay(scene);
    const journal = join(await place.jobFolder(), 'journal');
    const live: string[] = [];
    for (const [chunk, { status }] of await place.states()) {
      if (status === 'submitted') live.push(chunk);
    }
    // The one is as it was before its upload, the other as it was before its create.
    await rm(join(journal, String(live[0])), { recursive: true });
    for (const entry of (await readdir(join(journal, String(live[1])))).toSorted().slice(1)) {
      await rm(join(journal, String(live[1]), entry));
    }
    // Here nothing tells the one from a chunk that waits to be sent.
    const local = await recover(place);
    expect(local.code).toBe(0);
    expect(local.said.find(({ type }) => type === 'job')?.unrecorded).toEqual([live[0]]);
    const words = (await place.command(['recover'])).stdout;
    expect(words).toMatch(new RegExp(`without an entry: 1 chunk, ${live[0]}\\n`));
    expect(words).toMatch(/^ {2}batchwright recover --provider/m);

    const found = await recover(place, '--provider');
    expect(found.code).toBe(4);
    expect(found.said.find(({ type }) => type === 'to_give_back')).toMatchObject({ batches: 2 });
    const forgotten = found.said.filter(({ type }) => type === 'forgotten');
    expect(forgotten).toHaveLength(2);
    expect(found.said.filter(({ type }) => type === 'unknown')).toEqual([]);
    const ids = forgotten.map(({ batch }) => String(batch));
    const refused = await place.command(['adopt', ...ids, '-o', place.outputPath]);
    expect(refused.code).toBe(4);
    expect(refused.stderr).toMatch(/has forgotten it; batchwright recover --provider --yes/);

    const { code, said: given } = await recover(place, '--provider', '--yes');
    expect(code).toBe(0);
    expect(given.filter(({ type }) => type === 'given_back')).toMatchObject([
      { given: true },
      { given: true },
    ]);
    const again = await recover(place, '--provider');
    expect(again.code).toBe(0);
    expect(again.said.filter(({ type }) => type === 'forgotten')).toEqual([]);
    await simulator.controls.advance(HOUR_MS);
    const ended = await place.command(place.runArgs(...OPTIONS));
    expect(ended.code, ended.stderr).toBe(0);
    expect(await place.outputSha256()).toBe(await undisturbed());
    expectPaidOnce(simulator, LINES.length);
    expect(simulator.controls.batches()).toHaveLength(3);
    expect(simulator.ledger.calls()['cancel'] ?? 0).toBe(0);
  });

  test('is told where a stream is lost whole whose chunk was sent already', async () => {
    const scene = await openScene(LINES, STILL);
    const { place } = scene;
    await dieHalfWay(scene);
    const job = await place.jobFolder();
    const chunk = (await settledChunk(job)).split('/').at(-1) ?? '';
    await rm(join(job, 'journal', chunk), { recursive: true });
    const { code, said } = await recover(place);
    expect(code).toBe(4);
    const damage = said.find(({ type }) => type === 'job')?.damage ?? [];
    expect(damage).toHaveLength(1);
    expect(damage[0]).toMatch(/is lost whole, but not .*attempts: .*would be sent again/);
  });

  test('whose other half is alive changes nothing of what that one made', async () => {
    const { place } = await openScene([], STILL);
    const flags = ['recover', '--provider', '--installation', 'somebody', '--yes'];
    const refused = await place.command(flags);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('another data directory');
  });
});

describe('a data directory that is lost in the middle of a run', () => {
  test('is replaced by adopting what recover finds at the provider', async () => {
    const scene = await openScene(LINES, STILL);
    const { place, simulator } = scene;
    await dieHalfWay(scene);
    await rm(place.dataDir, { recursive: true });
    const elsewhere = (await recover(place, '--provider')).said.find(
      ({ type }) => type === 'elsewhere',
    );
    expect(elsewhere).toMatchObject({ batches: 3 });
    const named = ['--provider', '--installation', String(elsewhere?.installation)];
    const found = (await recover(place, ...named)).said.find(({ type }) => type === 'unknown');
    const ids = found?.batches ?? [];
    expect(ids).toHaveLength(3);
    await simulator.controls.advance(HOUR_MS);
    const printed = found?.adopt ?? '';
    expect(printed).toContain('--files delete');
    const files = printed.includes('--files delete') ? ['--files', 'delete'] : [];
    const ended = await place.command(['adopt', ...ids, '-o', place.outputPath, ...files]);
    expect(ended.code, ended.stderr).toBe(0);
    expectAnswered(await readResult(place.outputPath), LINES);
    expectPaidOnce(simulator, LINES.length);
    expect(simulator.controls.batches()).toHaveLength(3);
    // Its user said that it is lost, so nobody else wants their files.
    expect(simulator.controls.files()).toEqual([]);
  });

  test('shows uploads that nothing refers to, and deletes them only with --yes', async () => {
    const scene = await openScene(LINES, STILL);
    const { place, simulator } = scene;
    await dieHalfWay(scene);
    const installation = await readFile(join(place.dataDir, 'store/local/installation'), 'utf8');
    const tool = otherTool(simulator.url);
    const job = `job_${'0'.repeat(26)}`;
    const orphan = await tool.upload(
      asInput(LINES.slice(0, 1)),
      `bw-${installation}-${job}-c000000-x.jsonl`,
    );
    const foreign = await tool.upload(asInput(LINES.slice(0, 1)));
    const young = await recover(place, '--provider');
    expect(young.said.filter(({ type }) => type === 'orphan')).toEqual([]);
    const flags = ['--provider', '--older-than-minutes', '0'];
    const { said } = await recover(place, ...flags);
    expect(said.filter(({ type }) => type === 'orphan')).toMatchObject([{ file: orphan }]);
    expect(said.filter(({ type }) => type === 'in_flight')).toHaveLength(2);
    expect(fileIds(scene)).toContain(orphan);
    const deleted = await recover(place, ...flags, '--yes');
    expect(deleted.said.at(-1)).toMatchObject({ type: 'deleted', file: orphan });
    expect(fileIds(scene)).not.toContain(orphan);
    expect(fileIds(scene)).toContain(foreign);
    // The two live batches keep their input files.
    await simulator.controls.advance(HOUR_MS);
    expect((await place.command(place.runArgs(...OPTIONS))).code).toBe(0);
    expectPaidOnce(simulator, LINES.length);
  });
});

function fileIds({ simulator }: Scene): string[] {
  return simulator.controls.files().map(({ id }) => id);
}

/** The folder of the chunk whose journal ends with `settled`. */
async function settledChunk(job: string): Promise<string> {
  for (const chunk of await readdir(join(job, 'chunks'))) {
    const stream = join(job, 'journal', chunk);
    const last = (await readdir(stream)).toSorted().at(-1);
    const text = await readFile(join(stream, String(last)), 'utf8');
    if (text.includes('"type":"settled"')) return join(job, 'chunks', chunk);
  }
  throw new Error(`no chunk of ${job} is settled`);
}
