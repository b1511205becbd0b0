import { describe, expect, it } from 'vitest';
import type { ChunkEvent } from '../../src/domain/chunk.ts';
import type { Bell } from '../../src/ports/work-queue.ts';
import { Brake } from '../../src/service/brake.ts';
import { ChunkEffects } from '../../src/service/chunk-effects.ts';
import { uploadedScene } from '../simulation/uploaded-scene.ts';

const HOLD = { kind: 'hold', code: 'unauthorized', message: 'as a test' } as const;

/** The bells that follow a step which held the job, and recorded these events before. */
async function rungAfterHold(events: readonly ChunkEvent[]): Promise<string[]> {
  const { scene, first } = await uploadedScene();
  const rung: Bell[] = [];
  const queue = { ...first.queue, ring: async (bell: Bell) => void rung.push(bell) };
  const brake = new Brake(first.views, queue, first.blobs);
  const effects = new ChunkEffects(first.tools, queue, first.views, brake);
  const task = await scene.chunkTask(first);
  const before = task.stream.state;
  for (const event of events) await scene.turn(task.stream.record(event));
  await scene.turn(effects.after(task, before, HOLD));
  return rung.map(({ queue: name, version }) => `${name} ${version - task.stream.version}`);
}

describe('a step that holds the job', () => {
  const submitting = { type: 'submitting', attemptId: 'x' } as const;
  const unsent = { type: 'unsent', attemptId: 'x', pauseMs: 0, reason: '' } as const;

  it('rings for a chunk that was cancelled meanwhile, and has to be settled', async () => {
    const cancelled = { type: 'intended', intent: { kind: 'cancel', revision: 1 } } as const;
    expect(await rungAfterHold([submitting, cancelled, unsent])).toEqual(['settle 0']);
  });

  it('does not ring for what is to be sent again: the same would only come again', async () => {
    expect(await rungAfterHold([submitting, unsent])).toEqual([]);
  });
});
