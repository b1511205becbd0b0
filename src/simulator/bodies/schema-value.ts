/** A value that fits a JSON Schema, as far as structured outputs and tool arguments use one. */

import { type Draws, hexOf } from '../random.ts';
import { sentence, word } from './text.ts';

type Schema = Readonly<Record<string, unknown>>;

interface Making {
  readonly root: Schema;
  readonly draws: Draws;
}

/** From here on only what is required is made, and lists are as short as allowed. */
const DEEP = 4;
/** A schema that forces endless nesting has no value: give up rather than overflow. */
const TOO_DEEP = 64;

/** A value that fits the schema, which may refer to its own definitions. */
export function valueFor(schema: unknown, draws: Draws): unknown {
  return make(asSchema(schema), { root: asSchema(schema), draws }, 0);
}

function make(schema: Schema, making: Making, depth: number): unknown {
  const { draws } = making;
  if (depth > TOO_DEEP) return null;
  if (typeof schema['$ref'] === 'string') {
    return make(resolve(schema['$ref'], making.root), making, depth + 1);
  }
  if ('const' in schema) return schema['const'];
  if (Array.isArray(schema['enum'])) return draws.pick(schema['enum'] as unknown[]);
  const branches = schema['anyOf'] ?? schema['oneOf'];
  if (Array.isArray(branches)) return make(pickBranch(branches, making, depth), making, depth + 1);
  if (Array.isArray(schema['allOf'])) {
    return make(merged(schema, schema['allOf'], making.root), making, depth + 1);
  }
  switch (typeOf(schema, draws, depth)) {
    case 'object':
      return makeObject(schema, making, depth);
    case 'array':
      return makeArray(schema, making, depth);
    case 'string':
      return makeString(schema, draws);
    case 'integer':
      return makeNumber(schema, draws, true);
    case 'number':
      return makeNumber(schema, draws, false);
    case 'boolean':
      return draws.next() < 0.5;
    default:
      return null;
  }
}

function asSchema(value: unknown): Schema {
  return typeof value === 'object' && value !== null ? (value as Schema) : {};
}

function resolve(reference: string, root: Schema): Schema {
  let place: unknown = root;
  for (const step of reference.split('/').slice(1)) {
    const key = step.replaceAll('~1', '/').replaceAll('~0', '~');
    place = (place as Record<string, unknown> | undefined)?.[key];
  }
  return asSchema(place);
}

/** Deep down, a branch that ends the nesting is the better one. */
function pickBranch(branches: readonly unknown[], making: Making, depth: number): Schema {
  const schemas = branches.map(asSchema);
  const flat = schemas.filter(
    (schema) => !('$ref' in schema) && schema['type'] !== 'object' && schema['type'] !== 'array',
  );
  return making.draws.pick(depth >= DEEP && flat.length > 0 ? flat : schemas);
}

function merged(schema: Schema, parts: readonly unknown[], root: Schema): Schema {
  const { allOf: _allOf, ...whole } = schema;
  const result: Record<string, unknown> = { ...whole };
  for (const part of parts.map(asSchema)) {
    const resolved = typeof part['$ref'] === 'string' ? resolve(part['$ref'], root) : part;
    const properties = { ...asSchema(result['properties']), ...asSchema(resolved['properties']) };
    const required = [...asList(result['required']), ...asList(resolved['required'])];
    Object.assign(result, resolved, { properties, required });
  }
  return result;
}

function typeOf(schema: Schema, draws: Draws, depth: number): unknown {
  const { type } = schema;
  if (Array.isArray(type)) {
    return depth >= DEEP && type.includes('null') ? 'null' : draws.pick(type as unknown[]);
  }
  if (type !== undefined) return type;
  if ('properties' in schema) return 'object';
  return 'items' in schema ? 'array' : 'string';
}

function makeObject(schema: Schema, making: Making, depth: number): Record<string, unknown> {
  const required = asList(schema['required']);
  const entries: [string, unknown][] = [];
  for (const [key, property] of Object.entries(asSchema(schema['properties']))) {
    const isWanted = required.includes(key) || (depth < DEEP && making.draws.next() < 0.7);
    if (isWanted) entries.push([key, make(asSchema(property), making, depth + 1)]);
  }
  return Object.fromEntries(entries);
}

function makeArray(schema: Schema, making: Making, depth: number): unknown[] {
  const prefix = asList(schema['prefixItems']);
  const fewest = Math.max(asNumber(schema['minItems'], 0), prefix.length);
  const most = Math.max(fewest, asNumber(schema['maxItems'], fewest + 3));
  const spread = depth >= DEEP ? 1 : Math.min(most - fewest, 3) + 1;
  const count = fewest + making.draws.below(spread);
  return Array.from({ length: count }, (_, index) =>
    make(asSchema(prefix[index] ?? schema['items']), making, depth + 1),
  );
}

function makeString(schema: Schema, draws: Draws): string {
  const formatted = FORMATS[String(schema['format'])];
  if (formatted !== undefined) return formatted(draws);
  const fewest = asNumber(schema['minLength'], 0);
  const most = asNumber(schema['maxLength'], Math.max(fewest, 200));
  let text = draws.next() < 0.5 ? word(draws) : sentence(draws);
  while (text.length < fewest) text += ` ${word(draws)}`;
  // Cutting a surrogate pair in two would not be a string that JSON can carry.
  return text.length <= most ? text : 'x'.repeat(most);
}

function makeNumber(schema: Schema, draws: Draws, isWhole: boolean): number {
  const step = asNumber(schema['multipleOf'], isWhole ? 1 : 0.01);
  const above = asNumber(schema['exclusiveMinimum'], Number.NEGATIVE_INFINITY);
  const below = asNumber(schema['exclusiveMaximum'], Number.POSITIVE_INFINITY);
  const low = Math.max(asNumber(schema['minimum'], Number.NEGATIVE_INFINITY), above);
  const high = Math.min(asNumber(schema['maximum'], Number.POSITIVE_INFINITY), below);
  const from = Number.isFinite(low) ? low : Number.isFinite(high) ? high - 100 * step : 0;
  const to = Number.isFinite(high) ? high : from + 100 * step;
  let first = Math.ceil(from / step);
  if (first * step <= above) first++;
  let last = Math.floor(to / step);
  if (last * step >= below) last--;
  const value = (first + draws.below(Math.max(1, last - first + 1))) * step;
  return isWhole ? Math.round(value) : Number(value.toPrecision(12));
}

const FORMATS: Readonly<Record<string, (draws: Draws) => string>> = {
  date: (draws) => dateOf(draws).slice(0, 10),
  time: (draws) => dateOf(draws).slice(11),
  'date-time': dateOf,
  duration: (draws) => `P${1 + draws.below(30)}D`,
  email: (draws) => `user${draws.below(1000)}@example.com`,
  hostname: () => 'example.com',
  ipv4: (draws) => `192.0.2.${draws.below(256)}`,
  ipv6: (draws) => `2001:db8::${draws.below(65_536).toString(16)}`,
  uri: (draws) => `https://example.com/${draws.below(1000)}`,
  uuid: (draws) => {
    const digits = hexOf(32, 'uuid', draws.next());
    return digits.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/, '$1-$2-4$3-a$4-$5');
  },
};

function dateOf(draws: Draws): string {
  return new Date(1_700_000_000_000 + draws.below(60_000_000) * 1000).toISOString();
}

function asNumber(value: unknown, otherwise: number): number {
  return typeof value === 'number' ? value : otherwise;
}

function asList(value: unknown): unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [];
}
