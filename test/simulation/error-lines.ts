/** Whether an answer of a result has its reason in what really happened at the provider. */

import type { CollectedAttempt } from '../../src/domain/chunk.ts';
import type { JobId } from '../../src/domain/ids.ts';
import { parseChunkId } from '../../src/domain/ids.ts';
import { chunkFileName } from '../../src/stages/names.ts';
import type { readAnswer } from '../support/memory/engines.ts';
import type { IndexedLine } from '../support/memory/outcomes.ts';
import type { SimulatedRequest } from '../support/memory/plan.ts';
import type { KnownJob } from './operator.ts';
import type { Batch } from './provider/batch.ts';
import { natureOf } from './provider/execution.ts';
import type { World } from './world.ts';

/** Batches of a chunk that may fail validation before all of it is given up. */
const MAX_FAILED = 3;

/** What a chunk took in, in order, each with the batch behind it. */
type Taken = readonly (CollectedAttempt & { readonly batch: Batch })[];

type Facts = NonNullable<ReturnType<typeof readAnswer>>['facts'];

/** What the chunks of a job took in, by the ids of their requests. */
export function takenByRequest(world: World, job: JobId): ReadonlyMap<string, Taken> {
  const taken = new Map<string, Taken>();
  for (const [key, { collected }] of world.audit.chunks) {
    const chunk = key.startsWith(`${job}/`) ? parseChunkId(key.slice(job.length + 1)) : null;
    if (chunk === null) continue;
    const all = collected.flatMap((attempt) => {
      const batch = world.model.batches.get(attempt.batchId);
      return batch === undefined ? [] : [{ ...attempt, batch }];
    });
    const index = world.store.peek(chunkFileName(job, chunk, 'lines.idx')).toString();
    for (const { id } of JSON.parse(index) as IndexedLine[]) taken.set(id, all);
  }
  return taken;
}

/** Why the error line must not stand there; null where it is founded. */
export function unfounded(
  { custom_id: id, reject }: SimulatedRequest,
  { statusCode, errorCode, bodyErrorCode }: Facts,
  known: KnownJob,
  taken: Taken,
  fewestAllowed: number,
): string | null {
  const code = errorCode ?? bodyErrorCode ?? '';
  if (reject === true) return code === 'rejected' ? null : `${id} was rejected, not ${code}`;
  // A stray answers, but what it leaves open is no try of ours.
  const own = taken.filter(({ stray }) => !stray);
  const tries = own.filter((one) => isTry(one, id)).length;
  const isFounded =
    statusCode === null
      ? isOwnFounded(id, code, known, own, tries >= fewestAllowed)
      : natureOf(id) === 'final' && statusCode === 400 && taken.some((one) => isTry(one, id));
  if (isFounded) return null;
  return `${id} ends with ${statusCode ?? ''} ${code} after ${tries} of ${fewestAllowed} tries`;
}

/** A request that is refused for good is not asked again where its refusal surely arrived. */
export function repeatsFinal({ custom_id: id }: SimulatedRequest, taken: Taken): boolean {
  if (natureOf(id) !== 'final') return false;
  // Of a batch that was cut short the refusals may be missing: nothing in them is paid.
  const told = taken.filter(
    ({ batch, stray }) => !stray && batch.status === 'completed' && batch.filesShownAtMs === 0,
  );
  return told.filter(({ batch }) => batch.answers.has(id)).length > 1;
}

function isOwnFounded(
  id: string,
  code: string,
  known: KnownJob,
  taken: Taken,
  isExhausted: boolean,
): boolean {
  if (code === 'job_cancelled') return known.cancelled;
  if (code === 'attempts_exhausted') return isExhausted;
  const failed = taken
    .map(({ batch }) => batch)
    .filter(({ status, errors }) => status === 'failed' && errors[0]?.code === code);
  const isNamed = failed.some(({ customIds, errors: [error] }) => {
    return customIds[(error?.line ?? 0) - 1] === id;
  });
  return isNamed || (failed.length > 0 && failuresOf(taken) >= MAX_FAILED);
}

function failuresOf(taken: Taken): number {
  return taken.filter(({ batch: { status, errors } }) => {
    return status === 'failed' && errors[0]?.code !== 'token_limit_exceeded';
  }).length;
}

/** A batch that got to execute it, and did not only say that the account cannot pay for it. */
function isTry({ batch, hasErrors }: Taken[number], id: string): boolean {
  if (batch.status === 'failed' || !batch.customIds.includes(id)) return false;
  const isUnpaid = batch.answers.get(id)?.line.includes('insufficient_quota') ?? false;
  return !(isUnpaid && hasErrors);
}
