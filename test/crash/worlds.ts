/** The seeded part of a case: its request set, its limits, the provider's moods. */

import { chance } from '../../src/simulator/random.ts';

const MODELS = ['gpt-4o-mini', 'gpt-4o', 'o4-mini'];

/** Ids that careless code trips over. */
const ODDITIES = ['plain', 'é\u2028ü', '日本語🙂', 'a"b\\c', '__proto__', '\u0000\u001f', ' x '];

/** Short waits, so that what takes minutes at a provider takes moments here. */
export const HASTE = {
  BATCHWRIGHT_POLL_INTERVAL_MS: '60',
  BATCHWRIGHT_ATTEMPT_PAUSE_MS: '40',
  BATCHWRIGHT_RETRY_BASE_MS: '10',
  BATCHWRIGHT_RETRY_MAX_MS: '40',
  BATCHWRIGHT_SWEEP_INTERVAL_MS: '300',
  BATCHWRIGHT_CREATE_SETTLE_MS: '300',
};

/** Draws of one seed by their label: the same each time, independent of one another. */
export class Draws {
  readonly seed: number;

  constructor(seed: number) {
    this.seed = seed;
  }

  /** From 0 to below 1. */
  share(label: string): number {
    return chance(this.seed, 'crash', label);
  }

  /** A whole number, both ends included. */
  whole(label: string, min: number, max: number): number {
    return min + Math.floor(this.share(label) * (max - min + 1));
  }
}

/** Requests for one to three models in turns; no two ids are alike. */
export function requestLines(draws: Draws): string[] {
  const count = draws.whole('lines', 12, 48);
  const models = draws.whole('models', 1, MODELS.length);
  return Array.from({ length: count }, (_, index) => {
    const model = MODELS[draws.whole(`model ${index}`, 0, models - 1)];
    const content = 'Sort ♥ \u2029'.repeat(draws.whole(`length ${index}`, 1, 30));
    const id = `${ODDITIES[index % ODDITIES.length]}-${index}`;
    const body = { model, messages: [{ role: 'user', content }] };
    return JSON.stringify({ custom_id: id, method: 'POST', url: '/v1/chat/completions', body });
  });
}

/** The lines with one to three among them that cannot be sent. */
export function withBadLines(draws: Draws, lines: readonly string[]): string[] {
  let all = [...lines];
  for (let bad = 1; bad <= draws.whole('bad lines', 1, 3); bad += 1) {
    const at = draws.whole(`bad line ${bad}`, 0, all.length);
    all = all.toSpliced(at, 0, JSON.stringify({ custom_id: `bad-${bad}` }));
  }
  return all;
}

/** The limits of a run over so many lines: two to five chunks, few or many batches at once. */
export function limitArguments(draws: Draws, lines: number): string[] {
  const chunks = draws.whole('chunks', 2, 5);
  return [
    '--max-requests',
    String(Math.ceil(lines / chunks)),
    '--max-live-batches',
    String(draws.whole('live batches', 1, 4)),
  ];
}
