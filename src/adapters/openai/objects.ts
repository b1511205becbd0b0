/**
 * The wire's objects as the port's: servers differ in how they say "nothing", in case, in dates
 * and in nesting (null, absent, `""`; ISO or seconds; a list or a list in an envelope).
 */

import type {
  BatchCounts,
  BatchError,
  ProviderBatch,
  ProviderFile,
} from '../../ports/batch-provider.ts';
import type { Clean } from './provider-text.ts';
import { UnreadableAnswer } from './weather.ts';

type Fields = Readonly<Record<string, unknown>>;

/** The items asked for in a page: the most that every server allows. */
export const PAGE_SIZE = 100;

/** One page of a list. */
export interface Page<Item> {
  readonly items: Item[];
  /** The cursor of the next page; null: this is the last. */
  readonly next: string | null;
}

/** Rejects as unreadable where there is no id: without one, no batch is known to exist. */
export function batchFrom(value: unknown, clean: Clean): ProviderBatch {
  const fields = fieldsOf(value);
  return {
    id: idOf(fields, 'batch'),
    status: textOf(fields['status'])?.toLowerCase() ?? 'unknown',
    inputFileId: textOf(fields['input_file_id']),
    outputFileId: textOf(fields['output_file_id']),
    errorFileId: textOf(fields['error_file_id']),
    createdAtMs: timeOf(fields['created_at']),
    counts: countsOf(fields['request_counts']),
    errors: errorsOf(fields['errors'], clean),
    metadata: metadataOf(fields['metadata']),
  };
}

/** Rejects as unreadable where there is no id. */
export function fileFrom(value: unknown): ProviderFile {
  const fields = fieldsOf(value);
  return {
    id: idOf(fields, 'file'),
    filename: textOf(fields['filename']) ?? '',
    sizeBytes: numberOf(fields['bytes']) ?? 0,
    createdAtMs: timeOf(fields['created_at']),
  };
}

/**
 * A page of a list asked for after the cursor `after`. Whatever could hide an item is unreadable:
 * who looks for a batch and does not find it may pay for a second one.
 */
export function pageFrom<Item extends { readonly id: string }>(
  value: unknown,
  after: string | null,
  itemFrom: (item: unknown) => Item,
): Page<Item> {
  const fields = Array.isArray(value) ? { data: value } : fieldsOf(value);
  // Servers written in Go say null for an empty list.
  const data = fields['data'] === null && fields['object'] === 'list' ? [] : fields['data'];
  if (!Array.isArray(data)) throw new UnreadableAnswer('a list was expected, and is not there');
  const items = data.map(itemFrom);
  const last = textOf(fields['last_id']) ?? items.at(-1)?.id ?? null;
  return { items, next: cursorAfter(fields['has_more'], items.length, last, after) };
}

function cursorAfter(
  hasMore: unknown,
  itemCount: number,
  last: string | null,
  after: string | null,
): string | null {
  if (hasMore !== true) {
    // Where the server does not say, a full page may have a successor, unless this is the page
    // before once more: then the server knows no cursors and gave all it has.
    const mayGoOn = typeof hasMore !== 'boolean' && itemCount >= PAGE_SIZE;
    return mayGoOn && last !== after ? last : null;
  }
  if (last === null) throw new UnreadableAnswer('the list says that it goes on, but not where');
  if (last === after) throw new UnreadableAnswer('the list repeats the page before');
  return last;
}

function fieldsOf(value: unknown): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  throw new UnreadableAnswer('an object was expected, and is not there');
}

function idOf(fields: Fields, what: string): string {
  const id = textOf(fields['id']);
  if (id === null) throw new UnreadableAnswer(`a ${what} was expected, but it has no id`);
  return id;
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : null;
}

function numberOf(value: unknown): number | null {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) && number >= 0 ? number : null;
}

/** Milliseconds from seconds, milliseconds or an ISO date; 0 where there is none. */
function timeOf(value: unknown): number {
  const number = numberOf(value);
  // As seconds, 10¹¹ is the year 5138: such a number is milliseconds.
  if (number !== null) return Math.round(number < 1e11 ? number * 1_000 : number);
  const text = textOf(value);
  if (text === null || !/^\d{4}-\d\d-\d\d/.test(text)) return 0;
  // A date without a zone is UTC here, whatever the machine's zone is.
  const hasZone = /(z|[+-]\d\d:?\d\d)$/i.test(text) || !text.includes(':');
  const time = Date.parse(hasZone ? text : `${text}Z`);
  return Number.isNaN(time) ? 0 : time;
}

/** Null unless the total and the completed are stated: a guessed 0 would say "all failed". */
function countsOf(value: unknown): BatchCounts | null {
  if (typeof value !== 'object' || value === null) return null;
  const fields = value as Fields;
  const total = numberOf(fields['total']);
  const completed = numberOf(fields['completed']);
  if (total === null || completed === null) return null;
  return { total, completed, failed: numberOf(fields['failed']) ?? 0 };
}

function errorsOf(value: unknown, clean: Clean): BatchError[] {
  if (typeof value === 'string') return value === '' ? [] : [errorOf(value, clean)];
  if (typeof value !== 'object' || value === null) return [];
  const list = Array.isArray(value) ? value : (value as Fields)['data'];
  return Array.isArray(list) ? list.map((item) => errorOf(item, clean)) : [];
}

function errorOf(value: unknown, clean: Clean): BatchError {
  if (typeof value !== 'object' || value === null) {
    return { code: 'unknown', message: clean(String(value)), line: null, param: null };
  }
  const fields = value as Fields;
  const line = numberOf(fields['line']);
  return {
    code: clean(textOf(fields['code']) ?? 'unknown'),
    message: clean(textOf(fields['message']) ?? ''),
    line: line !== null && Number.isSafeInteger(line) && line > 0 ? line : null,
    param: textOf(fields['param']),
  };
}

function metadataOf(value: unknown): Record<string, string> {
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => {
      return typeof entry[1] === 'string';
    }),
  );
}
