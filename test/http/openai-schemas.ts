/**
 * OpenAI's own schemas of what /v1/files and /v1/batches answer, as far as they say how it is
 * built: names, types, enums, what is required. From github.com/openai/openai-openapi, openapi.json
 * of 2026-08-21 (the commit stands in openai-schemas.json); descriptions and examples are left out.
 *
 * Where the document contradicts what is sent in its name: it lists optional fields as `integer`,
 * `string` or `object`, and yet its own example of a batch shows them as null, as recorded traffic
 * does; so null counts as absence there. An empty list has null as `first_id` and `last_id`, which
 * ListFilesResponse calls a string. What is required otherwise must be there and must not be null.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

type Schema = { readonly [keyword: string]: unknown };

export type AnswerName =
  | 'OpenAIFile'
  | 'ListFilesResponse'
  | 'DeleteFileResponse'
  | 'Batch'
  | 'ListBatchesResponse'
  | 'ErrorResponse';

const path = join(import.meta.dirname, 'openai-schemas.json');
const document = JSON.parse(readFileSync(path, 'utf8')) as { $defs: Record<string, Schema> };

const ajv = new Ajv2020({ strictTypes: false, allErrors: true });
addFormats.default(ajv);
ajv.addFormat('unixtime', { type: 'number', validate: Number.isInteger });
ajv.addSchema({ $id: 'openai', $defs: document.$defs });

/** What is wrong with the answer by OpenAI's schema; empty where nothing is. */
export function faultsOf(name: AnswerName, answer: unknown): string[] {
  const validate = ajv.getSchema(`openai#/$defs/${name}`);
  if (validate === undefined) throw new Error(`no schema ${name}`);
  const isValid = validate(withoutNulls(answer, document.$defs[name] ?? {}));
  if (isValid === true) return [];
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

/** The value without the nulls that stand for absence. */
function withoutNulls(value: unknown, schema: Schema): unknown {
  const target = resolved(schema);
  if (Array.isArray(value)) {
    return value.map((item) => withoutNulls(item, (target['items'] ?? {}) as Schema));
  }
  const properties = target['properties'] as Record<string, Schema> | undefined;
  if (typeof value !== 'object' || value === null || properties === undefined) return value;
  const required = new Set(target['required'] as string[] | undefined);
  const isEmptyList = 'data' in value && Array.isArray(value.data) && value.data.length === 0;
  const entries = Object.entries(value).flatMap(([key, inner]): [string, unknown][] => {
    const schemaOfKey = properties[key];
    if (schemaOfKey === undefined) return [[key, inner]];
    if (inner !== null || isNullable(schemaOfKey)) return [[key, withoutNulls(inner, schemaOfKey)]];
    if (isEmptyList && (key === 'first_id' || key === 'last_id')) return [[key, '']];
    return required.has(key) ? [[key, null]] : [];
  });
  return Object.fromEntries(entries);
}

function resolved(schema: Schema): Schema {
  const reference = schema['$ref'];
  if (typeof reference !== 'string') return schema;
  return resolved(document.$defs[reference.replace('#/$defs/', '')] ?? {});
}

function isNullable(schema: Schema): boolean {
  const target = resolved(schema);
  const options = (target['anyOf'] ?? []) as Schema[];
  return target['type'] === 'null' || options.some(({ type }) => type === 'null');
}
