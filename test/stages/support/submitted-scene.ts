/** Where tests of polling begin. */

import type { BatchProvider } from '../../../src/ports/batch-provider.ts';
import { poll } from '../../../src/stages/poll.ts';
import { Sightings } from '../../../src/stages/sightings.ts';
import type { StageAnswer } from '../../../src/stages/tools.ts';
import { Scene } from '../../simulation/scene.ts';
import { providerWith } from './provider.ts';

const nothingListed: BatchProvider['listBatches'] = async () => ({ batches: [], next: null });

/** A chunk with a live batch, and a provider that answers what the test says. */
export async function submittedScene(calls: Partial<BatchProvider>) {
  const scene = await Scene.open(['a-ok', 'b-ok']);
  const hand = scene.worker('worker');
  await scene.jobUntil(hand, 'planned');
  await scene.chunkUntil(hand, 'submitted');
  const provider = providerWith({ listBatches: nothingListed, ...calls });
  const sightings = new Sightings(provider, hand.clock, 10);
  const tools = { ...hand.tools, provider, sightings };
  const look = async (): Promise<StageAnswer> => {
    const task = await scene.chunkTask(hand);
    return scene.turn(poll(task, tools));
  };
  return { scene, hand, look };
}
