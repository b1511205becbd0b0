/** A finished result as the user names it: a job's id, or the path of a result file. */

import { readFile, stat } from 'node:fs/promises';
import type { Store } from '../compose.ts';
import { Refusal } from '../domain/errors.ts';
import type { JobState } from '../domain/job.ts';
import { jobStatus } from '../domain/job.ts';
import { manifestName, resultName } from '../stages/names.ts';
import { manifestPath } from './deliver.ts';

export interface Finished {
  /** What to call it in a command. */
  readonly name: string;
  readonly resultPath: string;
  readonly manifestPath: string;
  /** Null where only files are named. */
  readonly job: JobState | null;
}

/** Finds the result; refuses where the job has none yet. */
export async function findFinished(text: string, store: Store): Promise<Finished> {
  const isFile = (await stat(text).catch(() => null))?.isFile() ?? false;
  if (isFile) {
    return { name: text, resultPath: text, manifestPath: manifestPath(text), job: null };
  }
  const job = await store.jobs.find(text);
  const { id } = job.spec;
  if (job.status !== 'merged' && job.status !== 'done') {
    const way = 'run the same command again to go on with it';
    throw new Refusal('not_finished', `${id} has no result: it is ${jobStatus(job)}; ${way}.`);
  }
  return {
    name: id,
    resultPath: await store.blobs.toLocal(resultName(id)),
    manifestPath: await store.blobs.toLocal(manifestName(id)),
    job,
  };
}

/** What the manifest says of the result; refuses where it is missing or not one of ours. */
export async function readManifest({ manifestPath: path }: Finished, store: Store) {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    const way = 'put it beside the result, or name the job instead of the file';
    throw new Refusal(
      'input_unreadable',
      `The manifest ${path} cannot be read (${error.code}): ${way}.`,
    );
  });
  const result = store.results.manifest(text);
  if (result !== null) return result;
  throw new Refusal('input_unreadable', `${path} is not a manifest of batchwright.`);
}
