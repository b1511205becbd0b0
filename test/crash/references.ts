/** What an undisturbed journey of a scenario and a seed comes to; each is made once. */

import { type Outcome, outcomeOf, problemsOf } from './judge.ts';
import { travel } from './journey.ts';
import { type Plot, SCENARIOS } from './scenarios.ts';
import { Draws } from './worlds.ts';

export interface Reference {
  readonly plot: Plot;
  readonly outcome: Outcome;
  /** For each command of the plot: point → how often it is reached. */
  readonly counts: readonly ReadonlyMap<string, number>[];
  readonly elapsedMs: number;
}

export class References {
  readonly #made = new Map<string, Promise<Reference>>();

  /** Rejects where the undisturbed journey itself goes wrong. */
  of(scenario: string, seed: number): Promise<Reference> {
    const key = `${scenario} ${seed}`;
    const known = this.#made.get(key);
    if (known !== undefined) return known;
    const making = makeReference(scenario, seed);
    this.#made.set(key, making);
    return making;
  }

  /** All that were made. */
  all(): Promise<Reference[]> {
    return Promise.all(this.#made.values());
  }
}

async function makeReference(scenario: string, seed: number): Promise<Reference> {
  const make = SCENARIOS.get(scenario);
  if (make === undefined) throw new Error(`there is no scenario ${scenario}`);
  const plot = make(new Draws(seed));
  const travelled = await travel(plot, { seed, strikes: [], isRecorded: true, redisUrl: null });
  try {
    const { outcome, problems } = await outcomeOf(plot, travelled);
    const wrong = [...problems, ...(await problemsOf(travelled, outcome))];
    if (wrong.length > 0) {
      throw new Error(`undisturbed, ${scenario} with seed ${seed}: ${wrong.join('; ')}`);
    }
    const counts = travelled.reached.map(countsOf);
    return { plot, outcome, counts, elapsedMs: travelled.elapsedMs };
  } finally {
    await travelled.close();
  }
}

function countsOf(points: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const point of points) counts.set(point, (counts.get(point) ?? 0) + 1);
  return counts;
}
