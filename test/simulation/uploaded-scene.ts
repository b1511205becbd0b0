/** Where the scenarios begin, and what each of them must come to. */

import { expect } from 'vitest';
import type { ChunkEvent } from '../../src/domain/chunk.ts';
import { resultName } from '../../src/stages/names.ts';
import { Scene } from './scene.ts';
import type { Interference } from './world.ts';

export const PAIR = ['a-ok', 'b-ok'];

/** Trouble with the first append of an event of the type. */
export function once(type: ChunkEvent['type'], trouble: 'before' | 'after'): Interference {
  let left = 1;
  return (_process, _name, bytes) => {
    const isMeant = Buffer.from(bytes).includes(`"event":{"type":"${type}"`);
    return isMeant && left-- > 0 ? trouble : null;
  };
}

/** A planned job whose first chunk is uploaded, and the worker that did it. */
export async function uploadedScene(ids: readonly string[] = PAIR, seed = 1) {
  const scene = await Scene.open(ids, {}, seed);
  const first = scene.worker('first');
  await scene.jobUntil(first, 'planned');
  await scene.chunkUntil(first, 'uploaded');
  return { scene, first };
}

/** The job is done, so many batches have executed something, and the result is in order. */
export function expectFinished(scene: Scene, batches: number): void {
  expect(scene.world.violations).toEqual([]);
  expect(scene.jobState.status).toBe('done');
  expect(scene.executed).toHaveLength(batches);
  const lines = scene.world.store.peek(resultName(scene.job)).toString().trimEnd().split('\n');
  const ids = lines.map((line) => (JSON.parse(line) as { custom_id: string }).custom_id);
  expect(ids).toEqual(PAIR);
}
