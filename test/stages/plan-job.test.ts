/** Planning ends a job for good only where its input is at fault, and tells what became of it. */

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import { describe, expect, it } from 'vitest';

import { createFileBlobStore } from '../../src/adapters/file/blob-store.ts';
import { packError, unpackError } from '../../src/adapters/system/task-messages.ts';
import { Weather } from '../../src/domain/errors.ts';
import type { JobEvent, JobSource, JobState } from '../../src/domain/job.ts';
import { applyToJob } from '../../src/domain/transitions.ts';
import type { Engines } from '../../src/stages/engines.ts';
import { engines } from '../../src/stages/engines.ts';
import { planJob, withdraw } from '../../src/stages/plan-job.ts';
import type { JobTask, Tools } from '../../src/stages/tools.ts';
import { JOB, OPTIONS, SPEC } from '../domain/support/samples.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { batchOf, providerWith } from './support/provider.ts';

/** Errors cross as they do between threads: as data. */
async function runAsThread(task: keyof Engines, input: unknown): Promise<unknown> {
  try {
    return await (engines[task] as (input: unknown) => unknown)(input);
  } catch (error) {
    throw unpackError(structuredClone(packError(error)));
  }
}

/** A job over the source, and the tools that plan it; `scratchName` lies below the folder. */
async function openJob(source: Partial<JobSource>, bytes: Buffer, scratchName = 'scratch') {
  const folder = await temporaryFolder();
  const location = join(folder, 'input');
  await writeFile(location, bytes);
  await mkdir(join(folder, 'scratch'));
  const spec = { ...SPEC, id: JOB, source: { ...SPEC.source, location, ...source } as JobSource };
  const created: JobEvent = { type: 'created', spec, options: OPTIONS, unconfirmed: false };
  let state = applyToJob(null, created) as JobState;
  const stream = {
    get state() {
      return state;
    },
    record: async (event: JobEvent) => {
      state = applyToJob(state, event) ?? state;
      return true;
    },
  };
  const tools = {
    blobs: createFileBlobStore(join(folder, 'store')),
    engines: { run: runAsThread },
    scratch: { makeFolder: async () => join(folder, scratchName), removeFolder: async () => {} },
  } as unknown as Tools;
  return { task: { job: spec, stream } as unknown as JobTask, tools, state: () => state };
}

const PATH = { kind: 'path', encoding: 'identity' } as const;

describe('a job whose input is at fault', () => {
  it('is refused with its code, although the error comes from a thread', async () => {
    const torn = gzipSync('{"custom_id":"a"}\n').subarray(0, 20);
    const cases = [
      [{ ...PATH, encoding: 'gzip' as const }, torn, 'input_unreadable'],
      [PATH, Buffer.from('\n\n'), 'empty_input'],
      [{ ...PATH, location: '/no/such/file' }, Buffer.from(''), 'input_unreadable'],
    ] as const;
    for (const [source, bytes, code] of cases) {
      const { task, tools, state } = await openJob(source, bytes);
      await planJob(task, tools);
      expect(state()).toMatchObject({ status: 'refused', refusal: { code } });
    }
  });

  it('is not taken for one where the data directory is at fault', async () => {
    const line = Buffer.from('{"custom_id":"a","body":{"model":"m"}}\n');
    const { task, tools, state } = await openJob(PATH, line, 'no/such/folder');
    await expect(planJob(task, tools)).rejects.toMatchObject({ code: 'ENOENT' });
    expect(state().status).toBe('created');
  });
});

describe('a job that is cancelled before its plan', () => {
  it('ends without a word to the provider where it made nothing', async () => {
    const { task, tools, state } = await openJob(PATH, Buffer.from('x'));
    await withdraw(task, tools);
    expect(state()).toMatchObject({ refusal: { code: 'job_cancelled' } });
    expect(messageOf(state())).toContain('nothing was sent');
  });

  it('has the batches cancelled that it was to take over, and says that they cost', async () => {
    const ids = ['batch_live', 'batch_gone', 'batch_over'];
    const batches = ids.map((batchId) => ({ batchId, fileId: 'f', fileCreatedAtMs: 0 }));
    const source = { kind: 'batches', batches, keepsFiles: true } as Partial<JobSource>;
    const { task, tools, state } = await openJob(source, Buffer.from(''));
    const cancelled: string[] = [];
    const provider = providerWith({
      retrieveBatch: async (id) => {
        if (id === 'batch_gone') throw notFound();
        return batchOf({ id, status: id === 'batch_live' ? 'in_progress' : 'completed' });
      },
      cancelBatch: async (id) => {
        cancelled.push(id);
        return batchOf({ id, status: 'cancelling' });
      },
    });
    await withdraw(task, { ...tools, provider });
    expect(cancelled).toEqual(['batch_live']);
    expect(messageOf(state())).toMatch(/asked to end.*paid/);
    expect(messageOf(state())).not.toContain('nothing was sent');
  });
});

function messageOf(state: JobState): string {
  return state.status === 'refused' ? state.refusal.message : '';
}

function notFound(): Weather {
  const message = 'No such batch';
  return new Weather({ kind: 'permanent', status: 404, code: null, message, retryAfterMs: null });
}
