/** Whose files may go with an adoption, and whose batches are not to be adopted. */

import { expect, it } from 'vitest';

import { createSystemClock } from '../../src/adapters/system/clock.ts';
import { freshChunk } from '../../src/domain/chunk.ts';
import type { ChunkState } from '../../src/domain/chunk.ts';
import type { BatchesSource, JobState } from '../../src/domain/job.ts';
import type { FilesWish } from '../../src/service/adoption.ts';
import { Adoption } from '../../src/service/adoption.ts';
import type { JobViews } from '../../src/service/job-views.ts';
import type { Jobs, Submission } from '../../src/service/jobs.ts';
import { DECIDED, JOB, jobIn, OPTIONS, SPEC } from '../domain/support/samples.ts';
import { batchOf, providerWith } from '../stages/support/provider.ts';

const LOST = `job_${'1'.repeat(26)}`;

interface World {
  readonly metadata: Readonly<Record<string, string>>;
  readonly here?: readonly JobState[];
  readonly chunk?: ChunkState;
  readonly files?: FilesWish;
}

/** What is made of one batch over file-1 by the data directory `ours`. */
async function adopted({ metadata, here = [], chunk, files = 'auto' }: World) {
  let made: BatchesSource | null = null;
  const jobs = {
    attach: async () => null,
    list: async () => here,
    submit: async ({ source }: Submission) => {
      if (source.kind === 'batches') made = source;
      return { job: JOB, attached: false };
    },
  } as unknown as Jobs;
  const views = {
    plan: async () => ({ chunks: [{ id: 'c000000' }] }),
    chunkStream: async () => ({ state: chunk }),
  } as unknown as JobViews;
  const provider = providerWith({
    retrieveBatch: async (id) => batchOf({ id, metadata }),
    retrieveFile: async (id) => ({ id, filename: 'f', sizeBytes: 1, createdAtMs: 1 }),
  });
  const adoption = new Adoption(jobs, views, provider, createSystemClock(), 'ours');
  const { defaults, limits, onInvalid, provider: identity, completionWindow } = SPEC;
  const request = { defaults, limits, onInvalid, provider: identity, completionWindow };
  const wish = { ...request, options: OPTIONS, unconfirmed: false, files };
  await adoption.adopt({ ...wish, batchIds: ['batch_1'] }, async () => {});
  return made as BatchesSource | null;
}

it('deletes by itself only what this data directory made, for a job that is gone', async () => {
  const named = { job: LOST, chunk: 'c000000', attempt: '1' };
  const own = { ...named, installation: 'ours' };
  const alive = { ...named, installation: 'theirs' };
  expect((await adopted({ metadata: own }))?.keepsFiles).toBe(false);
  expect((await adopted({ metadata: alive }))?.keepsFiles).toBe(true);
  expect((await adopted({ metadata: {} }))?.keepsFiles).toBe(true);
  expect((await adopted({ metadata: alive, files: 'delete' }))?.keepsFiles).toBe(false);
});

it('refuses what an unfinished job here looks for, has forgotten, or would send anew', async () => {
  const metadata = { installation: 'ours', job: JOB, chunk: 'c000000' };
  const here = [jobIn('planned')];
  const upload = { ...DECIDED.upload, fileId: 'file-1' };
  const submitting = { ...freshChunk(3), status: 'submitting', attempt: { ...DECIDED, upload } };
  const looking = adopted({ metadata: {}, here, chunk: submitting as ChunkState });
  await expect(looking).rejects.toThrow(/looks for it; run its command again/);
  const forgotten = adopted({ metadata, here, chunk: freshChunk(3) });
  await expect(forgotten).rejects.toThrow(/forgotten it; .*recover --provider --yes/);
  const unplanned = adopted({ metadata, here: [jobIn('created')] });
  await expect(unplanned).rejects.toThrow(new RegExp(`batchwright cancel ${JOB}`));
});

it('takes what a finished job here made and does not know', async () => {
  const metadata = { installation: 'ours', job: JOB, chunk: 'c000000' };
  const settled = { ...freshChunk(3), status: 'settled' } as ChunkState;
  expect(await adopted({ metadata, here: [jobIn('done')], chunk: settled })).not.toBeNull();
});
