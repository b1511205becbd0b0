/** What a hostile server does wrong under a seed: which kinds at all, how often, how many times. */

import { Chance } from './chance.ts';
import type { Words } from './chance.ts';

interface Kind {
  /** Of the occasions. */
  readonly share: number;
  /** In one run, so that every run can end. */
  readonly atMost: number;
}

const KINDS = {
  // Any call.
  rate_limit: { share: 0.08, atMost: 12 },
  rate_limit_with_wait: { share: 0.05, atMost: 1 },
  server_error: { share: 0.08, atMost: 12 },
  html_error: { share: 0.08, atMost: 12 },
  empty_body: { share: 0.06, atMost: 8 },
  cut_answer: { share: 0.06, atMost: 8 },
  wrong_content_type: { share: 0.4, atMost: 500 },
  chunked_body: { share: 0.5, atMost: 500 },
  slow_body: { share: 0.1, atMost: 30 },
  lost_upload: { share: 0.2, atMost: 3 },
  // Creates.
  lost_create: { share: 0.4, atMost: 5 },
  late_create: { share: 0.2, atMost: 2 },
  no_create: { share: 0.2, atMost: 2 },
  twin_create: { share: 0.3, atMost: 3 },
  file_not_found: { share: 0.4, atMost: 4 },
  // Batches.
  fails_validation: { share: 0.25, atMost: 2 },
  poisoned_line: { share: 0.02, atMost: 1000 },
  expires: { share: 0.3, atMost: 4 },
  is_cancelled: { share: 0.2, atMost: 3 },
  late_file_ids: { share: 0.5, atMost: 20 },
  output_id_last: { share: 0.4, atMost: 20 },
  stuck_counts: { share: 0.4, atMost: 50 },
  wrong_counts: { share: 0.4, atMost: 50 },
  absent_counts: { share: 0.4, atMost: 50 },
  zero_counts: { share: 0.4, atMost: 50 },
  odd_case: { share: 0.6, atMost: 5000 },
  backward_status: { share: 0.15, atMost: 10 },
  batch_not_found: { share: 0.3, atMost: 4 },
  no_metadata: { share: 1, atMost: 1e9 },
  odd_ids: { share: 1, atMost: 1e9 },
  // Lists.
  lagging_list: { share: 0.5, atMost: 10 },
  omitting_list: { share: 0.3, atMost: 10 },
  small_pages: { share: 1, atMost: 1e9 },
  shifting_pages: { share: 1, atMost: 1e9 },
  unsorted_list: { share: 1, atMost: 1e9 },
  // Files.
  lagging_output: { share: 0.4, atMost: 6 },
  cut_download: { share: 0.4, atMost: 5 },
  silent_cut: { share: 0.4, atMost: 5 },
  sizes_unstated: { share: 1, atMost: 1e9 },
  refused_delete: { share: 0.2, atMost: 4 },
  // Answers.
  gaps: { share: 0.08, atMost: 20 },
  dropped_success: { share: 0.05, atMost: 6 },
  garbled_success: { share: 0.05, atMost: 6 },
  duplicates: { share: 0.15, atMost: 40 },
  conflicts: { share: 0.15, atMost: 40 },
  strangers: { share: 0.1, atMost: 30 },
  garbage: { share: 0.06, atMost: 12 },
  split_files: { share: 0.3, atMost: 1000 },
  other_line_ends: { share: 0.5, atMost: 20 },
  no_last_newline: { share: 0.4, atMost: 10 },
} as const satisfies Record<string, Kind>;

export type MischiefName = keyof typeof KINDS;

/** Of all kinds, this many are at work under one seed. */
const [MIN_KINDS, MAX_KINDS] = [6, 16];

export class Mischief {
  readonly chance: Chance;
  readonly active: ReadonlySet<MischiefName>;
  readonly #done = new Map<MischiefName, number>();

  constructor(seed: number) {
    this.chance = new Chance(seed);
    const names = Object.keys(KINDS) as MischiefName[];
    const count = this.chance.whole(MIN_KINDS, MAX_KINDS, 'kinds');
    this.active = new Set(this.chance.shuffled(names, 'kinds').slice(0, count));
  }

  /** Whether it happens on the occasion that the words name; counts it where it does. */
  happens(name: MischiefName, ...words: Words): boolean {
    if (!this.active.has(name)) return false;
    const { share, atMost } = KINDS[name];
    const done = this.#done.get(name) ?? 0;
    if (done >= atMost || !this.chance.is(share, name, ...words)) return false;
    this.#done.set(name, done + 1);
    return true;
  }

  /** How often each kind happened. */
  counts(): ReadonlyMap<MischiefName, number> {
    return this.#done;
  }
}
