/** A page of a list as OpenAI shows it. */

export interface PageBody<Item> {
  readonly object: 'list';
  readonly data: readonly Item[];
  readonly first_id: string | null;
  readonly last_id: string | null;
  readonly has_more: boolean;
}

export function pageBody<Item extends { readonly id: string }>(
  data: readonly Item[],
  hasMore: boolean,
): PageBody<Item> {
  return {
    object: 'list',
    data,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
    has_more: hasMore,
  };
}
