/** A simulator of its own and a place that talks to it. */

import { type SimulatorOptions } from '../../src/simulator/options.ts';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { openPlace } from '../support/command.ts';
import type { Place } from '../support/program.ts';
import { asInput } from '../support/sets.ts';

export interface Scene {
  readonly place: Place;
  readonly simulator: Simulator;
}

/** Both end with the test. The world is the same each time: results can be compared. */
export async function openScene(
  input: readonly string[] | Uint8Array,
  options: SimulatorOptions = {},
): Promise<Scene> {
  const simulator = await startSimulator({ seed: 5, timeFactor: 3_600, ...options });
  const place = await openPlace(simulator.url, () => simulator.close());
  await place.writeInput(input instanceof Uint8Array ? input : asInput(input));
  return { place, simulator };
}
