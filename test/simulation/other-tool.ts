/** Another tool that made batches, and the person who has them taken over. */

import type { JobId } from '../../src/domain/ids.ts';
import { invariant, Refusal, Weather } from '../../src/domain/errors.ts';
import type { AdoptionRequest } from '../../src/service/adoption.ts';
import { Adoption } from '../../src/service/adoption.ts';
import type { SimulatedRequest } from '../support/memory/plan.ts';
import { INSTALLATION, openDoors } from './house.ts';
import type { SimulatedProcess } from './process.ts';
import { createProviderPort } from './provider/port.ts';
import type { World } from './world.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** What a person does again and again before giving up. */
const MAX_TRIES = 30;

export interface ForeignBatch {
  readonly batchId: string;
  readonly requests: readonly SimulatedRequest[];
}

/** One or two batches of one model each, made a while before anybody here knows of them. */
export function makeForeignBatches(world: World): ForeignBatch[] {
  const { random, model, profile } = world;
  return Array.from({ length: random.int(1, 2) }, (_, batch) => {
    const requests = Array.from({ length: random.int(1, profile.chunkRequests) }, (_one, at) => ({
      custom_id: `foreign${batch}-r${at}-${random.pick(['ok', 'ok', 'ok', 'flaky', 'final'])}`,
      model: `model-${(batch % profile.models) + 1}`,
    }));
    const bytes = Buffer.from(requests.map((one) => `${JSON.stringify(one)}\n`).join(''));
    const file = model.upload(`other-${batch}.jsonl`, bytes);
    const metadata = { job: `other-${batch}`, chunk: '0', attemptId: `other-${batch}` };
    return { batchId: model.create(file.id, metadata).id, requests };
  });
}

/** Looks at the batches and takes them over; null where they cannot be, for all the tries. */
export async function adopt(
  world: World,
  person: SimulatedProcess,
  request: AdoptionRequest,
): Promise<JobId | null> {
  const { jobs, views, clock } = openDoors(person, world);
  const provider = createProviderPort(person, world.providerParts());
  const adoption = new Adoption(jobs, views, provider, clock, INSTALLATION);
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    try {
      const { job } = await adoption.adopt(request, async () => {});
      return job;
    } catch (error) {
      if (!(error instanceof Weather) && !(error instanceof Refusal)) throw error;
      world.trace?.(`${person.name} cannot adopt: ${error.message}`);
    }
    await person.sleep(world.random.spread(MINUTE_MS, HOUR_MS), undefined);
  }
  return null;
}

/** Batches that a job took over, and whether their files are to stay. */
export function takenBy(world: World, job: JobId) {
  const source = world.audit.jobs.get(job)?.spec.source;
  invariant(source?.kind === 'batches', `${job} is made of batches`);
  return source;
}
