/** Checks a result: each line of the request set has its one answer, and the one that is due. */

import type { JobState } from '../../src/domain/job.ts';
import { classifyAnswer } from '../../src/domain/answer.ts';
import { readAnswer } from '../support/memory/engines.ts';
import type { SimulatedRequest } from '../support/memory/plan.ts';
import { repeatsFinal, takenByRequest, unfounded } from './error-lines.ts';
import type { KnownJob } from './operator.ts';
import type { World } from './world.ts';

export function checkResult(world: World, job: JobState, known: KnownJob, result: Buffer): void {
  const { requests } = known;
  const { id } = job.spec;
  const lines = result.toString().split('\n').filter(Boolean);
  if (lines.length !== requests.length) {
    world.fail(`${id} has ${lines.length} answers for ${requests.length} requests`);
    return;
  }
  const collected = collectedBatches(world, id);
  const taken = takenByRequest(world, id);
  const fewestAllowed = world.audit.fewestAttempts(id);
  for (const [at, request] of requests.entries()) {
    const line = lines[at] ?? '';
    const answer = readAnswer(line);
    const own = taken.get(request.custom_id) ?? [];
    if (answer?.id !== request.custom_id) {
      world.fail(`${id}: line ${at + 1} answers ${answer?.id}, not ${request.custom_id}`);
    } else if (classifyAnswer(answer.facts).kind === 'success') {
      if (!isPaid(world, request, line)) world.fail(`${id}: nobody was paid for ${line}`);
    } else if (isKept(world, request, collected)) {
      world.fail(`${id}: ${request.custom_id} was paid, delivered and lost`);
    } else {
      const violation = unfounded(request, answer.facts, known, own, fewestAllowed);
      if (violation !== null) world.fail(`${id}: ${violation}`);
    }
    if (repeatsFinal(request, own)) world.fail(`${id}: ${request.custom_id} was refused twice`);
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

/** A success stands there as one of the paid batches answered it, byte for byte. */
function isPaid(world: World, { custom_id: id }: SimulatedRequest, line: string): boolean {
  return world.model.ledger.payers(id).some((batch) => batch.answers.get(id)?.line === line);
}
