/** The people around the house: what they submit, and when they cancel or resume it. */

import { createHash } from 'node:crypto';
import type { JobId } from '../../src/domain/ids.ts';
import type { SimulatedRequest } from '../support/memory/plan.ts';
import { openDoors, IDENTITY } from './house.ts';
import type { Profile } from './profile.ts';
import { NATURES } from './provider/execution.ts';
import type { Random } from './random.ts';
import type { World } from './world.ts';

const HOUR_MS = 3_600_000;
const RESUME_EVERY_MS = 20 * 60_000;

/** A request set of a seed. */
export function drawRequests(job: number, profile: Profile, random: Random): SimulatedRequest[] {
  return Array.from({ length: profile.requests }, (_, at) => {
    const request = {
      custom_id: `j${job}-r${at}-${random.pick(NATURES)}`,
      model: `model-${random.int(1, profile.models)}`,
    };
    return random.chance(0.05) ? { ...request, reject: true } : request;
  });
}

/** The person at the command line: submits, cancels at a whim, resumes what is held. */
export async function operate(
  world: World,
  sets: readonly SimulatedRequest[][],
  jobs: Map<JobId, readonly SimulatedRequest[]>,
): Promise<void> {
  const { random, profile } = world;
  const person = world.steady('person');
  const doors = openDoors(person, world);
  for (const [number, requests] of sets.entries()) {
    await person.sleep(random.spread(1, HOUR_MS), undefined);
    const bytes = Buffer.from(requests.map((one) => `${JSON.stringify(one)}\n`).join(''));
    world.files.write(`/in/${number}`, bytes);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const submission = submissionOf(`/in/${number}`, bytes, profile, sha256);
    const { job } = await doors.jobs.submit(submission);
    jobs.set(job, requests);
    world.trace?.(`${job} is submitted: ${requests.length} requests`);
  }
  const cancelAtMs = profile.cancels ? random.next() * profile.faultsUntilMs : Infinity;
  for (let cancelled = false; ;) {
    await person.sleep(RESUME_EVERY_MS, undefined);
    for (const id of jobs.keys()) {
      if (await doors.jobs.resume(id)) world.trace?.(`${id} is resumed`);
    }
    if (cancelled || world.scheduler.nowMs < cancelAtMs) continue;
    cancelled = true;
    const id = random.pick([...jobs.keys()]);
    if (await doors.jobs.cancel(id)) world.trace?.(`${id} is cancelled`);
  }
}

/** What a command would submit for the file. */
export function submissionOf(path: string, bytes: Buffer, profile: Profile, sha256: string) {
  return {
    name: path,
    source: {
      kind: 'path' as const,
      location: path,
      encoding: 'identity' as const,
      sizeBytes: bytes.length,
      sha256,
    },
    defaults: { endpoint: null, model: null },
    limits: {
      maxRequests: profile.chunkRequests,
      maxBytes: 1_000_000,
      maxInputs: 1_000,
      maxLineBytes: 1_000,
    },
    onInvalid: 'skip' as const,
    provider: IDENTITY,
    completionWindow: '24h',
    options: { maxAttempts: profile.maxAttempts, maxErrors: null },
    fresh: false,
    unconfirmed: false,
  };
}
