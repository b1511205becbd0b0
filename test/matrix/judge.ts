/** Judges a case that has ended: what came out, what was paid, what is left over. */

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { verifyResult } from '../../src/stages/answers/verify.ts';
import { parseManifest } from '../../src/stages/manifest.ts';
import { manifestName, resultName } from '../../src/stages/names.ts';
import { unpaidOrTwice } from '../support/paid-once.ts';
import type { CaseOptions } from './case.ts';
import { wrongFiles } from './kept-files.ts';
import type { ManifestView, Row, Scene } from './row.ts';

export interface Judgement {
  /** Sentences; empty where all is well. */
  readonly wrong: readonly string[];
  /** Whether every fault that was on struck; else the case proves nothing. */
  readonly struck: boolean;
  /** The result's lines. */
  readonly lines: readonly string[];
}

export interface Observed {
  /** Faults that were on and never struck. */
  readonly missed: readonly string[];
  /** What the rows' own acts found wrong. */
  readonly said: readonly string[];
}

/** After the house has closed. */
export async function judge(
  scene: Scene,
  { rows, undisturbed }: CaseOptions,
  { missed, said }: Observed,
): Promise<Judgement> {
  const { store } = scene.shop;
  const resultPath = await store.blobs.toLocal(resultName(scene.job));
  const lines = (await readFile(resultPath, 'utf8')).split('\n').slice(0, -1);
  const manifestText = String(await store.blobs.get(manifestName(scene.job)));
  const manifest = JSON.parse(manifestText) as ManifestView;
  const state = await store.views.job(scene.job);
  const chunks = state !== null && 'plan' in state ? state.plan.chunkCount : 0;
  const ending = {
    manifest,
    chunks,
    lines,
    undisturbed: undisturbed ?? lines,
    quarantine: await quarantineOf(scene),
  };
  const wanted = wantedErrors(scene, rows);
  const failed = [...wanted.values()].reduce((sum, count) => sum + count, 0);
  const paid = rows.map((row) => row.paid?.(scene)).find((count) => count !== undefined);
  const wrong = [
    ...said,
    ...compareLines(
      lines,
      undisturbed ?? lines,
      wanted,
      rows.some((row) => row.otherBytes),
    ),
    ...unpaidOrTwice(scene.simulator, paid ?? scene.lines.length - failed).filter(
      (text) => !rows.some(({ excuses }) => excuses?.test(text) === true),
    ),
    ...verifyAll(resultPath, scene.dataDir, manifestText),
    ...(await leftovers(scene)),
    // Counts and notices of one row's own may differ where another row is in the way.
    ...(rows.length > 1 ? [] : rows.flatMap((row) => row.check?.(scene, ending) ?? [])),
    ...(rows.length > 1 ? [] : rows.flatMap((row) => untold(scene, row))),
  ];
  const unmet = rows.flatMap(({ meets }) =>
    meets === undefined || scene.weather.some((text) => meets.test(text)) ? [] : [String(meets)],
  );
  const silent = [...missed, ...unmet];
  const heard = silent.length === 0 ? [] : [`did not strike: ${silent.join(', ')}`];
  return { wrong: [...wrong, ...heard], struck: silent.length === 0, lines };
}

function wantedErrors(scene: Scene, rows: readonly Row[]): Map<string, number> {
  const all = rows.flatMap((row) => Object.entries(row.errors?.(scene) ?? {}));
  return new Map(all.filter(([, count]) => count > 0));
}

/** Every line is the undisturbed run's, but for so many error lines of each code. */
function compareLines(
  lines: readonly string[],
  undisturbed: readonly string[],
  wanted: ReadonlyMap<string, number>,
  otherBytes: boolean,
): string[] {
  const wrong: string[] = [];
  if (lines.length !== undisturbed.length) {
    wrong.push(`${lines.length} result lines, not ${undisturbed.length}`);
  }
  const errors = new Map<string, number>();
  for (const [at, line] of lines.entries()) {
    const good = undisturbed[at] ?? '';
    if (line === good) continue;
    if (idOf(line) !== idOf(good)) wrong.push(`line ${at + 1} answers ${idOf(line)}`);
    const code = codeOf(line);
    if (code !== null) errors.set(code, (errors.get(code) ?? 0) + 1);
    else if (!otherBytes || !saysTheSame(line, good)) wrong.push(`line ${at + 1} differs: ${line}`);
  }
  const [found, expected] = [shown(errors), shown(wanted)];
  if (found !== expected) wrong.push(`error lines: ${found}, not ${expected}`);
  return wrong;
}

interface AnswerLine {
  readonly custom_id: string;
  readonly response: { status_code: number; body: { error?: { code: string | null } } } | null;
  readonly error: { code: string } | null;
}

function idOf(line: string): string {
  return line === '' ? '' : (JSON.parse(line) as AnswerLine).custom_id;
}

/** Null: a success. */
function codeOf(line: string): string | null {
  const { error, response } = JSON.parse(line) as AnswerLine;
  if (error !== null) return error.code;
  if (response?.status_code === 200) return null;
  return response?.body.error?.code ?? String(response?.status_code);
}

function saysTheSame(line: string, other: string): boolean {
  return JSON.stringify(JSON.parse(line)) === JSON.stringify(JSON.parse(other));
}

function shown(counts: ReadonlyMap<string, number>): string {
  const sorted = [...counts].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return sorted.map(([code, count]) => `${count} ${code}`).join(', ') || 'none';
}

function verifyAll(resultPath: string, scratchFolder: string, manifestText: string): string[] {
  const expect = parseManifest(manifestText);
  if (expect === null) return ['the manifest cannot be read'];
  return [...verifyResult({ resultPath, scratchFolder, expect }).problems];
}

async function leftovers(scene: Scene): Promise<string[]> {
  const { dataDir } = scene;
  const scratch = await readdir(join(dataDir, 'scratch'), { recursive: true }).catch(() => []);
  const store = await readdir(join(dataDir, 'store'), { recursive: true });
  const temporary = store.filter((name) => /\.tmp\//.test(name));
  const open = await readdir(join(dataDir, 'store/local/open'));
  return [
    ...(await wrongFiles(scene)),
    ...scratch.filter((name) => name !== '').map((name) => `left in scratch: ${name}`),
    ...temporary.map((name) => `left in the store: ${name}`),
    ...open.map((name) => `still open: ${name}`),
  ];
}

/** The lines that were put aside, without their newlines, chunk by chunk. */
async function quarantineOf({ dataDir, job }: Scene): Promise<Buffer[]> {
  const folder = join(dataDir, 'store/local/jobs', job, 'chunks');
  const lines: Buffer[] = [];
  for (const chunk of await readdir(folder).catch(() => [])) {
    const path = join(folder, chunk, 'quarantine.jsonl');
    const bytes = await readFile(path, 'latin1').catch(() => '');
    for (const line of bytes.split('\n').slice(0, -1)) lines.push(Buffer.from(line, 'latin1'));
  }
  return lines;
}

function untold({ notices }: Scene, { tells = [] }: Row): string[] {
  return tells
    .filter((code) => notices.every((notice) => notice.code !== code))
    .map((code) => `nobody was told ${code}`);
}
