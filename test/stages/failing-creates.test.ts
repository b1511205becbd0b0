import { describe, expect, it } from 'vitest';
import { Weather } from '../../src/domain/errors.ts';
import type { BatchProvider } from '../../src/ports/batch-provider.ts';
import { Alerts } from '../../src/service/alerts.ts';
import { chunkBell } from '../../src/service/bells.ts';
import { Brake } from '../../src/service/brake.ts';
import { Steps } from '../../src/service/step.ts';
import { chunkScene } from './support/chunk-scene.ts';
import { batchOf } from './support/provider.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

const UPLOADED_AT_MS = 1_000;

function weather(kind: Weather['kind'], status: number | null, message: string): Weather {
  return new Weather({ kind, status, code: null, message, retryAfterMs: null });
}

/** A chunk whose creates do what the test says, and a worker that does what it owes. */
async function creating(createBatch: BatchProvider['createBatch']) {
  const deleted = new Set<string>();
  const seen = { uploads: 0, creates: 0 };
  const fileOf = (id: string) => ({
    id,
    filename: 'x',
    sizeBytes: 10,
    createdAtMs: UPLOADED_AT_MS,
  });
  const stage = await chunkScene('waiting', {
    upload: async () => fileOf(`file-${(seen.uploads += 1)}`),
    retrieveFile: async (id) => (deleted.has(id) ? null : fileOf(id)),
    deleteFile: async (id) => void deleted.add(id),
    createBatch: async (input) => {
      seen.creates += 1;
      return createBatch(input);
    },
  });
  const { scene, hand, tools } = stage;
  const brake = new Brake(hand.views, hand.queue, hand.blobs);
  const alerts = new Alerts(hand.blobs, hand.journal, hand.clock);
  const steps = new Steps(tools, hand.queue, hand.views, brake, alerts, hand.callbacks);
  /** Works for so long, or until a batch is made. */
  const work = async (ms: number): Promise<void> => {
    const untilMs = scene.world.scheduler.nowMs + ms;
    while (scene.world.scheduler.nowMs < untilMs) {
      const { stream, chunk } = await scene.chunkTask(hand);
      if (stream.state.status === 'submitted') return;
      const due = chunkBell(scene.job, chunk.id, stream.state, stream.version);
      if (due === null) throw new Error('something is owed');
      await scene.wait(due.delayMs);
      const answer = await scene.turn(steps.answer(due.bell));
      if (answer.kind === 'later') await scene.wait(answer.delayMs);
    }
  };
  const told = (): number => scene.world.notices.get('provider_unreachable') ?? 0;
  return { scene, seen, work, told };
}

describe('creates that fail one after another', () => {
  it.each([
    ['are refused before they begin', weather('transient', null, 'ECONNREFUSED')],
    ['are asked to come again', weather('transient', 429, 'HTTP 429')],
    ['get no answer', weather('unknown', 500, 'HTTP 500')],
  ])('are told of after a quarter of an hour, again and again, where they %s', async (_, why) => {
    const { work, told } = await creating(() => Promise.reject(why));
    await work(10 * MINUTE_MS);
    expect(told()).toBe(0);
    await work(20 * MINUTE_MS);
    expect(told()).toBe(1);
    await work(5 * HOUR_MS);
    expect(told()).toBeGreaterThan(2);
  });

  it('are not told of where one of them came to something', async () => {
    let left = 4;
    const { scene, work, told } = await creating(async ({ inputFileId }) => {
      left -= 1;
      if (left >= 0) throw weather('transient', null, 'ECONNREFUSED');
      return batchOf({ inputFileId });
    });
    await work(HOUR_MS);
    expect(scene.chunk.status).toBe('submitted');
    expect(told()).toBe(0);
  });

  it('cost fewer and fewer uploads where their outcome is never known', async () => {
    const { seen, work } = await creating(() => Promise.reject(weather('unknown', 500, 'lost')));
    await work(12 * HOUR_MS);
    const first = seen.uploads;
    await work(12 * HOUR_MS);
    expect(first).toBeLessThan(30);
    expect(seen.uploads - first).toBeLessThan(13);
    expect(seen.creates).toBeLessThanOrEqual(seen.uploads);
  });
});

describe('a create that does not find its input file', () => {
  const unseen = (id: string) =>
    weather('permanent', 400, `Cannot find file ${id}, or organization does not have access`);

  it('is tried again for five minutes before the file is uploaded again', async () => {
    const { scene, seen, work } = await creating(({ inputFileId }) =>
      Promise.reject(unseen(inputFileId)),
    );
    await work(5 * MINUTE_MS);
    expect(seen.uploads).toBe(1);
    await work(5 * MINUTE_MS);
    expect(seen.uploads).toBe(2);
    expect(scene.count('file_lost')).toBe(1);
  });

  it('gives a second file the same time, whatever became of the first one', async () => {
    let creates = 0;
    const { scene, seen, work } = await creating(async ({ inputFileId }) => {
      creates += 1;
      const isLate = inputFileId === 'file-2' && creates > 13;
      if (!isLate) throw unseen(inputFileId);
      return batchOf({ inputFileId });
    });
    await work(HOUR_MS);
    expect(scene.chunk.status).toBe('submitted');
    expect(seen.uploads).toBe(2);
  });
});
