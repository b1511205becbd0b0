/** The audit of a finished job: whichever stored byte is wrong, `verify` names its file. */

import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Ended, OwnedPlace } from '../support/program.ts';
import { makePlace } from '../support/program.ts';
import { loadConfig } from '../../config/load.ts';
import type { Store } from '../../src/compose.ts';
import { openStore } from '../../src/compose.ts';
import type { JobId } from '../../src/domain/ids.ts';
import { auditBytes } from '../../src/service/byte-audit.ts';
import { startSimulator } from '../../src/simulator/simulator.ts';
import { asInput, mixedLines } from '../support/sets.ts';

const FAILED_LINES = 3;
const REFUSED = 4;
const LINES = mixedLines(30).toSpliced(9, 0, '{"custom_id":"bad"}');

describe('verify of a job', () => {
  let place: OwnedPlace;
  let folder: string;
  let job: string;
  let files: string[];
  let store: Store;

  beforeAll(async () => {
    const simulator = await startSimulator({ seed: 5, timeFactor: 3_600 });
    simulator.controls.setFault({ name: 'line_stranger' });
    place = await makePlace(simulator.url);
    await place.writeInput(asInput(LINES));
    const run = place.runArgs('--max-requests', '12', '--on-invalid', 'skip');
    const ran = await place.command(run);
    if (ran.code !== FAILED_LINES) throw new Error(ran.stderr);
    folder = await place.jobFolder();
    job = folder.split('/').at(-1) ?? '';
    files = (await readdir(folder, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
      .toSorted();
    const env = { BATCHWRIGHT_DATA_DIR: place.dataDir };
    store = openStore(loadConfig({}, { env, folder: place.folder }));
    return async () => {
      await store.close();
      await place.clear();
      await simulator.close();
    };
  });

  const verify = (): Promise<Ended> => place.command(['verify', job]);

  /** Expects that the audit, over the store as it now is, names the file. */
  const expectNamed = async (file: string, how: string): Promise<void> => {
    const problems = await auditBytes(job as JobId, store);
    const name = file.startsWith('journal/') ? file.split('/').slice(0, 2).join('/') : file;
    expect(problems.join('\n'), `${file}, ${how}`).toContain(name);
  };

  test('finds nothing wrong with what a run left, and leaves nothing itself', async () => {
    const { code, stdout, stderr } = await verify();
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(stdout).toContain('0 duplicates');
    expect(await readdir(join(place.dataDir, 'scratch'))).toEqual([]);
    const kinds = files.map((file) => file.replace(/^.*\//, '').replace(/^\d+/, ''));
    for (const kind of KINDS) expect(kinds).toContain(kind);
  });

  test('counts in the manifest what lies in quarantine', async () => {
    const kept = files.filter((file) => file.endsWith('quarantine.jsonl'));
    const texts = await Promise.all(kept.map((file) => readFile(join(folder, file), 'utf8')));
    const lines = texts.join('').trimEnd().split('\n');
    const manifest = await readFile(join(folder, 'manifest.json'), 'utf8');
    const { quarantine } = JSON.parse(manifest) as { quarantine: Record<string, number> };
    expect(lines.length).toBeGreaterThan(0);
    expect(quarantine).toMatchObject({ strangers: lines.length, unparsable: 0 });
  });

  test.each([
    ['a flipped byte', flipped],
    ['a cut', (whole: Buffer) => whole.subarray(0, Math.floor(whole.length / 2))],
    ['a line more', (whole: Buffer) => Buffer.concat([whole, Buffer.from('{"custom_id":"x"}\n')])],
    ['nothing in its place', () => null],
  ])('names each kind of file that has %s', async (how, change) => {
    for (const file of oneOfEachKind(files)) {
      const path = join(folder, file);
      const whole = await readFile(path);
      const changed = change(whole, file);
      if (changed === null) await rm(path);
      else await writeFile(path, changed);
      try {
        await expectNamed(file, how);
      } finally {
        await writeFile(path, whole);
      }
    }
  });

  test('names a file that was never there', async () => {
    await mkdir(join(folder, 'journal/c000099'));
    const added = ['notes.txt', 'settled/c000099.json', 'journal/c000099/00000001.json'];
    for (const file of added) {
      await writeFile(join(folder, file), '{}');
      await expectNamed(file, 'added');
      await rm(join(folder, file));
    }
    expect((await verify()).code).toBe(0);
  });

  test('exits with 4 where the result, its manifest or what it is made of is wrong', async () => {
    const answers = files.find((file) => file.endsWith('output.jsonl')) ?? '';
    for (const file of ['result.jsonl', 'manifest.json', answers]) {
      const path = join(folder, file);
      const whole = await readFile(path);
      await writeFile(path, flipped(whole, file));
      const { code, stderr } = await verify();
      expect(code, stderr).toBe(REFUSED);
      expect(stderr).toContain(file);
      await rm(path);
      const gone = await verify();
      expect(gone.code, gone.stderr).toBe(REFUSED);
      expect(gone.stderr).toContain(file);
      await writeFile(path, whole);
    }
  });
});

/** What can lie in a job's folder, by the ends of the names. */
const KINDS = [
  '.json',
  'answers.idx',
  'c000000.json',
  'ids.bin',
  'lines.idx',
  'manifest.json',
  'output.jsonl',
  'plan.json',
  'quarantine.jsonl',
  'rejected.jsonl',
  'requests.jsonl',
  'result.jsonl',
];

/** Only the command looks at the result; alerts and beats are no part of it. */
const OUTSIDE = new Set(['result.jsonl', 'working.json']);

/** The last file of each kind; of the journal an entry that is not the last of its stream. */
function oneOfEachKind(files: readonly string[]): string[] {
  const kinds = new Map<string, string>();
  for (const file of files) {
    const kind = file.replace(/c\d{6}/, 'c').replace(/\d+-[0-9a-z]{20}/, 'n');
    const [stream] = kind.split(/\d{8}\.json$/);
    const isEntry = /journal/.test(file);
    if (isEntry && file.endsWith('2.json')) kinds.set(stream ?? '', file);
    if (isEntry) continue;
    if (!OUTSIDE.has(file)) kinds.set(kind, file);
  }
  return [...kinds.values()];
}

/** A byte that means something: in an entry of the journal, one of its state. */
function flipped(whole: Buffer, file: string): Buffer {
  const isEntry = file.startsWith('journal/');
  const at = isEntry ? whole.lastIndexOf('"intent"') + 2 : Math.floor(whole.length / 3);
  const changed = Buffer.from(whole);
  changed[at] = (changed[at] ?? 0) ^ 1;
  return changed;
}
