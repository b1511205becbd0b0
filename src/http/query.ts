/** A request's query as a record of texts; `name[key]=value` makes records of their own. */

import { Problem } from './problem.ts';

const NESTED = /^([A-Za-z_]+)\[([^\]]*)\]$/;
const ESCAPED = /(?:%[0-9a-f]{2})+/gi;

export type QueryValue = string | Readonly<Record<string, string>>;

/** Refuses what stands twice: nobody could tell which of them is meant. */
export function queryOf(url: string): Record<string, QueryValue> {
  const at = url.indexOf('?');
  const query = at < 0 ? '' : url.slice(at + 1);
  requireText(query);
  const found = new Map<string, string | Map<string, string>>();
  for (const [name, value] of new URLSearchParams(query)) {
    const nested = NESTED.exec(name);
    if (nested === null) {
      if (found.has(name)) throw repeated(name);
      found.set(name, value);
      continue;
    }
    const [, outer = '', inner = ''] = nested;
    const record = found.get(outer) ?? new Map<string, string>();
    if (typeof record === 'string' || record.has(inner)) throw repeated(name);
    found.set(outer, record.set(inner, value));
  }
  return plain(
    [...found].map(([name, value]) => [name, value instanceof Map ? plain([...value]) : value]),
  );
}

/** What is no text is refused: read leniently, it would be something that nobody sent. */
function requireText(query: string): void {
  // Node itself refuses bytes that are not escaped; a percent sign alone stands for itself.
  try {
    for (const run of query.match(ESCAPED) ?? []) decodeURIComponent(run);
  } catch {
    const message = 'The escaped bytes of the query are not UTF-8.';
    throw new Problem({ status: 400, code: 'invalid_value', message });
  }
}

/** Without a prototype: a parameter may be called `constructor`. */
function plain<Value>(entries: [string, Value][]): Record<string, Value> {
  const record = Object.create(null) as Record<string, Value>;
  for (const [name, value] of entries) record[name] = value;
  return record;
}

function repeated(name: string): Problem {
  const message = `The parameter ${JSON.stringify(name.slice(0, 60))} stands there twice.`;
  return new Problem({ status: 400, code: 'repeated_parameter', message });
}
