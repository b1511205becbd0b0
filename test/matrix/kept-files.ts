/**
 * Files that are at the provider when a job is over: those of answers that did not come home whole
 * stay there on purpose, all others have to be gone.
 */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Scene } from './row.ts';

interface BatchView {
  readonly id: string;
  readonly output_file_id?: string | null;
  readonly error_file_id?: string | null;
  readonly request_counts?: { readonly completed: number; readonly failed: number };
}

const FILE_GONE = /^(?:output|error)_file_gone$/;

/** Sentences about files that should be gone, and about files that should not. */
export async function wrongFiles(scene: Scene): Promise<string[]> {
  const left = new Map(scene.simulator.controls.files().map((file) => [file.id, file.filename]));
  const batches = scene.simulator.controls.batches() as readonly BatchView[];
  const kept = new Set<string>();
  for (const batch of batches) {
    if (!(await isIncomplete(batch, left, scene))) continue;
    for (const id of filesOf(batch)) kept.add(id);
  }
  const told = toldIncomplete(scene);
  const promised = batches.filter(({ id }) => told.has(id)).flatMap(filesOf);
  return [
    ...[...left]
      .filter(([id]) => !kept.has(id))
      .map(([id, name]) => `left at the provider: ${id} ${name}`),
    ...promised.filter((id) => !left.has(id)).map((id) => `deleted, though not whole here: ${id}`),
  ];
}

/** The batches of which operators were told that their answers are not all here. */
export function toldIncomplete({ notices }: Pick<Scene, 'notices'>): ReadonlySet<string> {
  const told = notices.filter(({ code }) => code === 'answers_incomplete');
  return new Set(told.flatMap(({ message }) => /batch_\w+/.exec(message)?.[0] ?? []));
}

function filesOf({ output_file_id: output, error_file_id: errors }: BatchView): string[] {
  return [output, errors].filter((id) => typeof id === 'string');
}

/** By the world's own files and counts: what was told of the batch does not matter here. */
async function isIncomplete(
  batch: BatchView,
  left: ReadonlyMap<string, string>,
  scene: Scene,
): Promise<boolean> {
  for (const id of filesOf(batch)) {
    if (left.has(id) && (await isHidden(id, scene))) return true;
  }
  const { output_file_id: output, error_file_id: errors, request_counts: counts } = batch;
  const successes = await answersIn(output, left, scene);
  const failures = await answersIn(errors, left, scene);
  if (successes !== null && successes.good < (counts?.completed ?? 0)) return true;
  if (successes?.isSpoilt === true || failures?.isSpoilt === true) return true;
  // Where failures were counted that are not there, nobody can tell what is missing.
  const isMiscounted = scene.simulator.controls
    .faults()
    .some(({ fault, strikes }) => fault.name === 'counts_wrong' && strikes > 0);
  return failures !== null && isMiscounted;
}

/** Whether the provider says of this file that it has none of the name. */
function isHidden(id: string, { simulator }: Scene): Promise<boolean> {
  const isAbout = ({ name, subject }: { name: string; subject: string }): boolean =>
    FILE_GONE.test(name) && subject.includes(id);
  return simulator.controls.until('fault_fired', isAbout, { deadlineMs: 0 }).then(
    () => true,
    () => false,
  );
}

/** Different requests of the job with a success in the file; null: the file is not there. */
async function answersIn(
  id: string | null | undefined,
  left: ReadonlyMap<string, string>,
  { worldDir, lines }: Scene,
): Promise<{ good: number; isSpoilt: boolean } | null> {
  if (typeof id !== 'string' || !left.has(id)) return null;
  const asked = new Set(lines.map((line) => (JSON.parse(line) as { custom_id: string }).custom_id));
  const good = new Set<string>();
  let isSpoilt = false;
  const text = await readFile(join(worldDir, id), 'latin1');
  for (const line of text.split('\n').filter((one) => one !== '')) {
    try {
      const bytes = Buffer.from(line, 'latin1');
      const answer = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as {
        custom_id: string;
        response: { status_code: number } | null;
      };
      if (answer.response?.status_code === 200 && asked.has(answer.custom_id)) {
        good.add(answer.custom_id);
      }
    } catch {
      isSpoilt = true;
    }
  }
  return { good: good.size, isSpoilt };
}
