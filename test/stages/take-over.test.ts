/** Taking over survives its own death: whatever was recorded before, the next try ends the same. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { expect, it } from 'vitest';

import { createJournal } from '../../src/adapters/blob/journal.ts';
import { createFileBlobStore } from '../../src/adapters/file/blob-store.ts';
import { createFileScratch } from '../../src/adapters/file/scratch.ts';
import { createSystemClock } from '../../src/adapters/system/clock.ts';
import { createIds } from '../../src/adapters/system/ids.ts';
import type { ChunkEvent, ChunkState } from '../../src/domain/chunk.ts';
import { chunkIdOf } from '../../src/domain/ids.ts';
import type { BatchesSource, JobEvent, JobState } from '../../src/domain/job.ts';
import { applyToJob } from '../../src/domain/transitions.ts';
import type { Journal } from '../../src/ports/journal.ts';
import type { ThreadPool } from '../../src/ports/thread-pool.ts';
import type { Engines } from '../../src/stages/engines.ts';
import { engines } from '../../src/stages/engines.ts';
import { EventStream } from '../../src/stages/event-stream.ts';
import { chunkStreamName, jobStreamName } from '../../src/stages/names.ts';
import { takeOver } from '../../src/stages/take-over.ts';
import type { JobTask, Tools } from '../../src/stages/tools.ts';
import { JOB, OPTIONS, SPEC } from '../domain/support/samples.ts';
import { asInput, requestLine } from '../support/sets.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { batchOf, providerWith } from './support/provider.ts';

const FILES: Readonly<Record<string, string>> = {
  'file-1': asInput([requestLine('a'), requestLine('b')]),
  'file-2': asInput([requestLine('c')]),
  'file-3': asInput([requestLine('b')]),
  'file-4': `\n${asInput([requestLine('d')])}`,
};

/** The second batch over file-1 and the batch over file-3 answer requests of the first chunk. */
const SOURCE: BatchesSource = {
  kind: 'batches',
  location: '4 batches',
  encoding: 'identity',
  sizeBytes: 0,
  sha256: 'ids',
  keepsFiles: false,
  batches: [
    { batchId: 'batch_3', fileId: 'file-3', fileCreatedAtMs: 5 },
    { batchId: 'batch_1', fileId: 'file-1', fileCreatedAtMs: 7 },
    { batchId: 'batch_2', fileId: 'file-2', fileCreatedAtMs: 0 },
    { batchId: 'batch_1b', fileId: 'file-1', fileCreatedAtMs: 7 },
  ],
};

/** A store with the job in it, and what a stage needs of the house. */
async function openScene() {
  const folder = await temporaryFolder();
  const clock = createSystemClock();
  const ids = createIds(clock);
  const blobs = createFileBlobStore(join(folder, 'store'));
  const journal = createJournal(blobs, ids, clock);
  const pool: ThreadPool<Engines> = {
    run: async (task, input) => (engines[task] as (input: unknown) => never)(input),
    close: async () => {},
  };
  const provider = providerWith({
    download: async (fileId, path) => {
      await writeFile(path, FILES[fileId] ?? '');
      return { sizeBytes: (FILES[fileId] ?? '').length };
    },
  });
  const scratch = createFileScratch(join(folder, 'scratch'));
  const tools = { blobs, journal, engines: pool, provider, scratch, ids } as unknown as Tools;
  const open = async (): Promise<JobTask> => {
    const name = jobStreamName(JOB);
    const stream = await EventStream.open<JobEvent, JobState | null>(
      journal,
      name,
      applyToJob,
      null,
    );
    if (stream.version === 0) {
      const spec = { ...SPEC, source: SOURCE };
      await stream.record({ type: 'created', spec, options: OPTIONS, unconfirmed: false });
    }
    return { job: { ...SPEC, source: SOURCE }, stream: stream as JobTask['stream'] };
  };
  const chunk = async (index: number) => {
    const name = chunkStreamName(JOB, chunkIdOf(index));
    return journal.history<ChunkEvent, ChunkState>(name);
  };
  return { tools, journal, open, chunk };
}

/** A journal that dies at its append number `at`, before or after it is written. */
function dyingJournal(journal: Journal, at: number, moment: 'before' | 'after'): Journal {
  let appends = 0;
  return {
    load: (stream) => journal.load(stream),
    history: (stream) => journal.history(stream),
    append: async (stream, version, event, state) => {
      appends += 1;
      if (appends === at && moment === 'before') throw new Error('died');
      const answer = await journal.append(stream, version, event, state);
      if (appends === at) throw new Error('died');
      return answer;
    },
  };
}

it('gives each chunk its batch before the job is planned, whenever it dies', async () => {
  for (const at of [1, 2]) {
    for (const moment of ['before', 'after'] as const) {
      const { tools, journal, open, chunk } = await openScene();
      const dying = { ...tools, journal: dyingJournal(journal, at, moment) };
      await expect(takeOver(await open(), SOURCE, dying)).rejects.toThrow('died');
      const before = await Promise.all([chunk(0), chunk(1)]);
      expect((await open()).stream.state.status).toBe('created');
      await takeOver(await open(), SOURCE, tools);
      expect((await open()).stream.state).toMatchObject({
        status: 'planned',
        plan: { chunkCount: 2, counts: { requests: 3 } },
      });
      const [first, second] = await Promise.all([chunk(0), chunk(1)]);
      expect([first, second].map((entries) => entries?.length)).toEqual([1, 1]);
      // What was recorded stands: nothing is recorded twice.
      const kept = before.map((entries) => entries[0]?.eventId);
      const now = [first, second].map((entries) => entries?.[0]?.eventId);
      expect(kept.map((id, index) => id ?? now[index])).toEqual(now);
      expect(kept.filter((id) => id !== undefined)).toHaveLength(moment === 'after' ? at : at - 1);
      expect(first?.[0]?.state).toMatchObject({
        status: 'submitted',
        batchId: 'batch_1',
        attempt: { number: 1, upload: { fileId: 'file-1', requests: 2, createdAtMs: 7 } },
        strays: [
          { batchId: 'batch_3', spared: true },
          { batchId: 'batch_1b', spared: true },
        ],
        files: ['file-3', 'file-1'],
      });
      expect(second?.[0]?.state).toMatchObject({ status: 'submitted', batchId: 'batch_2' });
    }
  }
});

it('waits for the validation of a file with blank lines', async () => {
  const { tools, open } = await openScene();
  const batches = [{ batchId: 'batch_4', fileId: 'file-4', fileCreatedAtMs: 0 }];
  const source = { ...SOURCE, batches };
  const with4 = (status: string): Tools => {
    const retrieveBatch = async (id: string) => batchOf({ id, status });
    return { ...tools, provider: { ...tools.provider, retrieveBatch } };
  };
  expect(await takeOver(await open(), source, with4('validating'))).toMatchObject({
    kind: 'later',
  });
  expect((await open()).stream.state.status).toBe('created');
  await takeOver(await open(), source, with4('in_progress'));
  expect((await open()).stream.state.status).toBe('planned');
});

it('refuses a file with blank lines whose batch has failed its validation', async () => {
  const { tools, open } = await openScene();
  const batches = [{ batchId: 'batch_4', fileId: 'file-4', fileCreatedAtMs: 0 }];
  const retrieveBatch = async (id: string) => batchOf({ id, status: 'failed' });
  const provider = { ...tools.provider, retrieveBatch };
  await takeOver(await open(), { ...SOURCE, batches }, { ...tools, provider });
  expect((await open()).stream.state).toMatchObject({
    status: 'refused',
    refusal: { code: 'not_adoptable', message: expect.stringContaining('batch_4') },
  });
});

it('ends the same where two workers take over at once', async () => {
  const { tools, open, chunk } = await openScene();
  const tasks = [await open(), await open()];
  await Promise.all(tasks.map((task) => takeOver(task, SOURCE, tools)));
  expect((await open()).stream.state).toMatchObject({ status: 'planned' });
  expect((await open()).stream.version).toBe(2);
  expect(await chunk(0)).toHaveLength(1);
  expect(await chunk(1)).toHaveLength(1);
});
