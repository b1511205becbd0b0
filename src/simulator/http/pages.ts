/** Cursor pages of lists. */

import { invalidValue } from './api-error.ts';

export interface PageQuery {
  readonly after: string | null;
  readonly limit: number;
}

export interface Page<Item> {
  readonly object: 'list';
  readonly data: Item[];
  readonly first_id: string | null;
  readonly last_id: string | null;
  readonly has_more: boolean;
}

/** Reads `after` and `limit`. Throws an ApiError where the limit is out of range. */
export function pageQuery(
  query: Readonly<Record<string, unknown>>,
  bounds: { readonly usual: number; readonly most: number },
): PageQuery {
  const after = typeof query['after'] === 'string' && query['after'] !== '' ? query['after'] : null;
  const text = query['limit'];
  if (text === undefined) return { after, limit: bounds.usual };
  const limit = Number(text);
  if (!Number.isInteger(limit) || limit < 1 || limit > bounds.most) {
    throw invalidValue('limit', `Invalid 'limit': expected an integer from 1 to ${bounds.most}.`);
  }
  return { after, limit };
}

/** The page after the cursor. Throws an ApiError where the cursor is not in the list. */
export function pageOf<Item extends { readonly id: string }>(
  items: readonly Item[],
  query: PageQuery,
): Page<Item> {
  const start = query.after === null ? 0 : items.findIndex(({ id }) => id === query.after) + 1;
  if (query.after !== null && start === 0) {
    throw invalidValue('after', `Invalid 'after': no object with the id '${query.after}'.`);
  }
  const data = items.slice(start, start + query.limit);
  return {
    object: 'list',
    data,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
    has_more: start + data.length < items.length,
  };
}
