/** Schemas of the document as people read them. */

import type { JsonSchema } from '../openapi.ts';
import type { Html } from './html.ts';
import { html, prose } from './html.ts';

const NAMED = '#/components/schemas/';

/** A table of an object's fields; null where the schema is none. */
export function fieldsOf(schema: JsonSchema): Html | null {
  const properties = Object.entries(propertiesOf(schema));
  if (properties.length === 0) return null;
  const required = (schema['required'] ?? []) as readonly string[];
  const rows = properties.map(([name, field]) => fieldRow(name, field, required.includes(name)));
  return fieldTable(rows);
}

/** A table of rows that come from `fieldRow`. */
export function fieldTable(rows: readonly Html[]): Html {
  return table(['Name', 'Type', 'Meaning'], rows);
}

/** A table under these headings. */
export function table(headings: readonly string[], rows: readonly Html[]): Html {
  return html`<table>
    <thead>
      <tr>
        ${headings.map((heading) => html`<th scope="col">${heading}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${rows}
    </tbody>
  </table>`;
}

export function fieldRow(name: string, field: JsonSchema, isRequired: boolean): Html {
  const nested = nestedFields(field);
  const limit = limitsOf(field);
  const limits = limit === '' ? null : html`<span class="soft">${limit}</span>`;
  return html`<tr>
    <td><code>${name}</code>${isRequired ? null : html` <span class="soft">optional</span>`}</td>
    <td>${typeOf(field)}</td>
    <td>${prose(textOf(field['description']))} ${limits} ${nested}</td>
  </tr>`;
}

/** The type in a few words, with a link where it has a name. */
export function typeOf(schema: JsonSchema): Html {
  const { $ref, type, anyOf, items, pattern, enum: words } = schema;
  if (typeof $ref === 'string') {
    const name = $ref.replace(NAMED, '');
    return html`<a href="#shape-${name}">${name}</a>`;
  }
  if (Array.isArray(anyOf)) return joined((anyOf as readonly JsonSchema[]).map(typeOf));
  if ('const' in schema) return html`<code>${JSON.stringify(schema['const'])}</code>`;
  if (Array.isArray(words)) {
    return joined((words as readonly unknown[]).map((word) => html`<code>${String(word)}</code>`));
  }
  if (type === 'array') return html`list of ${typeOf((items ?? {}) as JsonSchema)}`;
  if (type === 'object' && isMap(schema)) {
    return html`map of ${typeOf(schema['additionalProperties'] as JsonSchema)}`;
  }
  // In a query every number is a text.
  if (typeof pattern === 'string' && pattern.startsWith('^\\d')) return html`whole number`;
  return html`${textOf(type) || 'any'}`;
}

function nestedFields(field: JsonSchema): Html | null {
  const inner = objectIn(field);
  const fields = inner === null ? null : fieldsOf(inner);
  if (fields === null) return null;
  return html`<details>
    <summary>Fields</summary>
    ${fields}
  </details>`;
}

/** The object that the field holds, also in a list or beside null. */
function objectIn(field: JsonSchema): JsonSchema | null {
  if (Object.keys(propertiesOf(field)).length > 0) return field;
  const { items, anyOf } = field;
  if (typeof items === 'object' && items !== null) return objectIn(items as JsonSchema);
  if (!Array.isArray(anyOf)) return null;
  const found = (anyOf as readonly JsonSchema[]).map(objectIn);
  return found.find((one) => one !== null) ?? null;
}

function limitsOf({ minimum, maximum, minLength, maxLength, default: usual }: JsonSchema) {
  const limits = [
    typeof minimum === 'number' ? `from ${minimum}` : '',
    typeof maximum === 'number' ? `to ${maximum}` : '',
    typeof minLength === 'number' && minLength > 1 ? `at least ${minLength} characters` : '',
    typeof maxLength === 'number' ? `at most ${maxLength} characters` : '',
    usual === undefined ? '' : `default ${JSON.stringify(usual)}`,
  ];
  return limits.filter((limit) => limit !== '').join(', ');
}

function isMap({ additionalProperties }: JsonSchema): boolean {
  return typeof additionalProperties === 'object' && additionalProperties !== null;
}

function propertiesOf({ properties }: JsonSchema): Readonly<Record<string, JsonSchema>> {
  return (properties ?? {}) as Readonly<Record<string, JsonSchema>>;
}

function joined(types: readonly Html[]): Html {
  const [first, ...others] = types;
  if (first === undefined) return html`nothing`;
  return html`${first}${others.map((type) => html` or ${type}`)}`;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
