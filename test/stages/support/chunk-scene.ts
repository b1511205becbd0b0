/** A job's only chunk in some state, and a provider that answers what the test gives it. */

import type { ChunkState } from '../../../src/domain/chunk.ts';
import { Weather } from '../../../src/domain/errors.ts';
import type { BatchProvider } from '../../../src/ports/batch-provider.ts';
import { Sightings } from '../../../src/stages/sightings.ts';
import type { ChunkTask, StageAnswer, Tools } from '../../../src/stages/tools.ts';
import { Watch } from '../../../src/stages/watch.ts';
import { Scene } from '../../simulation/scene.ts';
import { providerWith } from './provider.ts';

type Stage = (task: ChunkTask, tools: Tools) => Promise<StageAnswer>;

export async function chunkScene(status: ChunkState['status'], calls: Partial<BatchProvider>) {
  const scene = await Scene.open(['a-ok', 'b-ok']);
  const hand = scene.worker('worker');
  await scene.jobUntil(hand, 'planned');
  await scene.chunkUntil(hand, status);
  const provider = providerWith({
    listBatches: async () => ({ batches: [], next: null }),
    listFiles: async () => ({ files: [], next: null }),
    ...calls,
  });
  /** A process of its own, which remembers nothing. */
  const process = (): Tools => ({
    ...hand.tools,
    provider,
    sightings: new Sightings(provider, hand.clock, 10),
    watch: new Watch(hand.clock),
  });
  const record = async (event: Parameters<ChunkTask['stream']['record']>[0]): Promise<boolean> =>
    scene.turn((await scene.chunkTask(hand)).stream.record(event));
  const tools = process();
  return {
    scene,
    hand,
    tools,
    process,
    record,
    run: async (stage: Stage, its = tools): Promise<StageAnswer> =>
      scene.turn(stage(await scene.chunkTask(hand), its)),
    cancel: async () => record({ type: 'intended', intent: { kind: 'cancel', revision: 1 } }),
  };
}

/** An answer of the provider that is an error. */
export function refusal(status: number): Weather {
  const kind = status < 500 ? 'permanent' : 'transient';
  return new Weather({ kind, status, code: null, message: `HTTP ${status}`, retryAfterMs: null });
}
