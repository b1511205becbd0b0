/** Ids of files of all kinds, and the order in which they are listed. */

import type { JobId } from '../domain/ids.ts';
import { parseFileId } from '../domain/ids.ts';

export type FileKind = 'uploaded' | 'output' | 'errors';

export type FileOrder = 'newest' | 'oldest';

/** By the time in the id, and an output before the errors of its job. */
export interface FilePlace {
  readonly kind: FileKind;
  readonly body: string;
}

const OUTPUT_ID = /^file-(out|err)([0-9a-hjkmnp-tv-z]{26})$/;
const KIND_ORDER: readonly FileKind[] = ['uploaded', 'output', 'errors'];

/** The id of a view of the job's result as a file. */
export function outputFileId(job: JobId, kind: 'output' | 'errors'): string {
  return `file-${kind === 'output' ? 'out' : 'err'}${job.slice('job_'.length)}`;
}

/** Null where the text is no file's id. */
export function placeOf(id: string): FilePlace | null {
  if (parseFileId(id) !== null) return { kind: 'uploaded', body: id.slice('file-'.length) };
  const match = OUTPUT_ID.exec(id);
  const body = match?.[2];
  if (body === undefined) return null;
  return { kind: match?.[1] === 'out' ? 'output' : 'errors', body };
}

/** The same for an id that is known to be one. */
export function requirePlace(id: string): FilePlace {
  const place = placeOf(id);
  if (place === null) throw new RangeError(`not a file's id: ${id}`);
  return place;
}

/** Whether the one stands above the other in a list of this order. */
export function isBefore(one: FilePlace, other: FilePlace, order: FileOrder): boolean {
  const [first, second] = order === 'oldest' ? [one, other] : [other, one];
  if (first.body !== second.body) return first.body < second.body;
  return KIND_ORDER.indexOf(first.kind) < KIND_ORDER.indexOf(second.kind);
}
