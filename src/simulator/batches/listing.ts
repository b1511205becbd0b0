/** Which batches a list shows, in which order, and how fresh they are. */

import { type Page, pageOf, pageQuery } from '../http/pages.ts';
import { hexOf } from '../random.ts';
import type { World } from '../world.ts';
import { type BatchRecord, subjectOf, drawKeyOf } from './record.ts';
import { type BatchOnWire, shownBatch } from './view.ts';

export class BatchListing {
  readonly #world: World;
  readonly #lastRetrieved = new Map<string, BatchOnWire>();

  constructor(world: World) {
    this.#world = world;
  }

  /** Remembers what a caller saw of one batch, for lists that show no more than that. */
  noteRetrieved(shown: BatchOnWire): void {
    if (this.#world.faults.isOn('list_stale_until_retrieved')) {
      this.#lastRetrieved.set(shown.id, shown);
    }
  }

  /** One page. Throws an ApiError on a bad limit or cursor. */
  page(query: Readonly<Record<string, unknown>>): Page<BatchOnWire> {
    const visible = this.#ordered().filter(
      (batch) => !this.#world.faults.lingers('list_lag', drawKeyOf(batch), subjectOf(batch)),
    );
    const page = pageOf(visible, pageQuery(query, { usual: 20, most: 100 }));
    return { ...page, data: page.data.map((batch) => this.#shown(batch)) };
  }

  #ordered(): BatchRecord[] {
    const batches = this.#world.batches.all();
    if (this.#world.faults.strikes('list_never_sorted', 'list') === null) {
      return batches.toReversed();
    }
    const keyed = batches.map((batch) => ({
      batch,
      key: hexOf(12, this.#world.settings.seed, 'place', batch.ordinal),
    }));
    return keyed.toSorted((a, b) => (a.key < b.key ? -1 : 1)).map(({ batch }) => batch);
  }

  #shown(batch: BatchRecord): BatchOnWire {
    const shown = shownBatch(this.#world, batch);
    const fault = 'list_stale_until_retrieved';
    if (this.#world.faults.afflicts(fault, drawKeyOf(batch), subjectOf(batch)) === null)
      return shown;
    const stale = this.#lastRetrieved.get(batch.id) ?? { ...shown, status: 'validating' };
    this.#lastRetrieved.set(batch.id, stale);
    return stale;
  }
}
