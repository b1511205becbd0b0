/** Lists: pages that are small, shifted, unsorted, doubled or with something left out. */

import type { Mischief } from './mischief.ts';

export interface Page<Item> {
  /** It begins a listing. */
  readonly isFirst: boolean;
  body(view: (item: Item) => object): object;
}

export class Lists {
  readonly #mischief: Mischief;
  /** What each started listing leaves out, by collection. */
  readonly #omitted = new Map<string, string | null>();
  readonly #omissions = new Map<string, number>();
  #listings = 0;

  constructor(mischief: Mischief) {
    this.#mischief = mischief;
  }

  page<Item extends { readonly id: string }>(
    collection: 'batches' | 'files',
    all: readonly Item[],
    url: URL,
  ): Page<Item> {
    const after = url.searchParams.get('after');
    const isFirst = after === null;
    if (isFirst) {
      this.#listings += 1;
      this.#omitted.set(collection, this.#omit(collection, all));
    }
    const { active } = this.#mischief;
    const omitted = this.#omitted.get(collection) ?? null;
    const ordered = this.#ordered(all).filter((item) => item.id !== omitted);
    const isSmall = active.has('small_pages') || active.has('shifting_pages');
    const limit = Number(url.searchParams.get('limit') ?? 20);
    const size = isSmall ? Math.min(limit, 7) : limit;
    const known = ordered.findIndex((item) => item.id === after) + 1;
    // A cursor that is counted from the end shows an item twice, as if new ones had pushed it on.
    const start = active.has('shifting_pages') ? Math.max(0, known - 1) : known;
    const items = ordered.slice(start, start + size);
    const hasMore = start + size < ordered.length;
    return {
      isFirst,
      body: (view) => ({
        object: 'list',
        data: items.map(view),
        ...(this.#mischief.chance.is(0.5, 'last ids') ? { last_id: items.at(-1)?.id ?? null } : {}),
        has_more: hasMore,
      }),
    };
  }

  /** Leaves out one item, each at most once: two hidden looks in a row would hide it too long. */
  #omit(collection: string, all: readonly { readonly id: string }[]): string | null {
    if (collection === 'files' || all.length === 0) return null;
    if (!this.#mischief.happens('omitting_list', this.#listings)) return null;
    const { id } = this.#mischief.chance.pick(all, 'omitted', this.#listings);
    const times = this.#omissions.get(id) ?? 0;
    this.#omissions.set(id, times + 1);
    return times === 0 ? id : null;
  }

  #ordered<Item extends { readonly id: string }>(all: readonly Item[]): Item[] {
    if (!this.#mischief.active.has('unsorted_list')) return all.toReversed();
    // Neither the newest nor the oldest comes first; where one stands, it stays.
    return [...all.filter((_, index) => index % 2 === 0), ...all.filter((_, index) => index % 2)];
  }
}
