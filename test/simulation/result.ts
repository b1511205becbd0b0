/** The last check: each line of the request set has its one answer, and what was paid is in it. */

import type { JobState } from '../../src/domain/job.ts';
import { classifyAnswer } from '../../src/domain/answer.ts';
import { readAnswer } from '../support/memory/engines.ts';
import type { SimulatedRequest } from '../support/memory/plan.ts';
import type { World } from './world.ts';

export function checkResult(
  world: World,
  job: JobState,
  requests: readonly SimulatedRequest[],
  result: Buffer,
): void {
  const { id } = job.spec;
  const lines = result.toString().split('\n').filter(Boolean);
  if (lines.length !== requests.length) {
    world.fail(`${id} has ${lines.length} answers for ${requests.length} requests`);
    return;
  }
  const collected = collectedBatches(world, id);
  for (const [at, request] of requests.entries()) {
    const answer = readAnswer(lines[at] ?? '');
    if (answer?.id !== request.custom_id) {
      world.fail(`${id}: line ${at + 1} answers ${answer?.id}, not ${request.custom_id}`);
    } else if (
      classifyAnswer(answer.facts).kind !== 'success' &&
      isKept(world, request, collected)
    ) {
      world.fail(`${id}: ${request.custom_id} was paid, delivered and lost`);
    }
  }
}

/** Batches whose answers the job's chunks took in. */
function collectedBatches(world: World, job: string): Set<string> {
  const states = [...world.audit.chunks].filter(([key]) => key.startsWith(`${job}/`));
  return new Set(states.flatMap(([, state]) => state.collected.map(({ batchId }) => batchId)));
}

function isKept(
  world: World,
  { custom_id: id }: SimulatedRequest,
  collected: Set<string>,
): boolean {
  const { ledger } = world.model;
  if (ledger.isWithheld(id)) return false;
  return ledger.payers(id).some((batch) => collected.has(batch.id) || !ledger.isExcused(batch));
}
