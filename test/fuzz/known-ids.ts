/** Ids that the service has told: requests that name them get further than others. */

import type { Random } from '../simulation/random.ts';

/** The youngest ones of each kind are kept. */
const KEPT = 40;

const IDS = /"((job_|batch_|file-)(?:in|out|err)?[0-9a-z]{26})"/g;

const KINDS: Readonly<Record<string, string>> = { job_: 'job', batch_: 'batch', 'file-': 'file' };

export class KnownIds {
  readonly #ids = new Map<string, string[]>([
    ['job', [`job_${'0'.repeat(26)}`]],
    ['batch', [`batch_${'0'.repeat(26)}`]],
    ['file', [`file-${'0'.repeat(26)}`]],
  ]);

  /** Takes over what an answer names. */
  hear(text: string): void {
    for (const [, id = '', prefix = ''] of text.matchAll(IDS)) {
      const ids = this.#ids.get(KINDS[prefix] ?? '') ?? [];
      if (!ids.includes(id)) ids.push(id);
      if (ids.length > KEPT) ids.shift();
    }
  }

  /** One of that kind; of any kind where there is none such. */
  some(random: Random, kind: string): string {
    const ids = random.chance(0.95) ? this.#ids.get(kind) : undefined;
    return random.pick(ids ?? [...this.#ids.values()].flat());
  }
}
