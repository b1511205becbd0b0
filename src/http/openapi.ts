/** The OpenAPI document, made from the contract: what stands in a route stands in it. */

import { z } from 'zod';
import { answersOf } from './contract/common-answers.ts';
import { problem } from './contract/problem.ts';
import type { Access, Answer, Body, Route } from './contract/route.ts';

/** A schema as it stands in the document: JSON Schema 2020-12. */
export interface JsonSchema {
  readonly [keyword: string]: unknown;
}

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required: boolean;
  readonly description?: string;
  readonly style?: 'deepObject';
  readonly explode?: true;
  readonly schema: JsonSchema;
}

export type Content = Readonly<Record<string, { readonly schema: JsonSchema }>>;

export interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly tags: readonly string[];
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly required: boolean; readonly content: Content };
  readonly responses: Readonly<
    Record<string, { readonly description: string; readonly content?: Content }>
  >;
  /** Who may call. */
  readonly 'x-access': Access;
}

export interface OpenApiDocument {
  readonly openapi: '3.1.0';
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly servers: readonly { readonly url: string }[];
  readonly tags: readonly { readonly name: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, JsonSchema>>;
    readonly securitySchemes: Readonly<Record<string, JsonSchema>>;
  };
}

const DESCRIPTION =
  'Request sets of any size over a Batch API: one answer line for every request line, in input ' +
  'order. Jobs are the own API; files and batches are the same jobs as OpenAI’s clients see them.';

const KEY_NAMES: Readonly<Record<Access, readonly string[]>> = {
  public: [],
  tenant: ['key'],
  operator: ['key'],
  admin: ['key', 'adminKey'],
};

/** The document over these routes, in their order. */
export function openApiDocument(routes: readonly Route[], version: string): OpenApiDocument {
  const shapes = new Shapes();
  // Whatever else happens, this is how the own API says so.
  shapes.of(problem);
  const paths: Record<string, Record<string, Operation>> = {};
  for (const route of routes) {
    paths[route.path] = { ...paths[route.path], [route.method]: operationOf(route, shapes) };
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Batchwright', version, description: DESCRIPTION },
    servers: [{ url: '/' }],
    tags: [...new Set(routes.map(({ tag }) => tag))].map((name) => ({ name })),
    paths,
    components: {
      schemas: shapes.named,
      securitySchemes: {
        key: {
          type: 'http',
          scheme: 'bearer',
          description: 'A key. A service on loopback without keys takes any, or none.',
        },
        adminKey: {
          type: 'http',
          scheme: 'basic',
          description: 'For pages in a browser: any name, and an administrator’s key.',
        },
      },
    },
  };
}

function operationOf(route: Route, shapes: Shapes): Operation {
  const { operation, summary, description, tag, access, body } = route;
  const parameters = parametersOf(route, shapes);
  const responses = Object.entries(answersOf(route)).map(([status, answer]) => {
    return [status, responseOf(answer, shapes)] as const;
  });
  return {
    operationId: operation,
    summary,
    ...(description === undefined ? {} : { description }),
    tags: [tag],
    security: KEY_NAMES[access].map((name) => ({ [name]: [] })),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: requestBodyOf(body, shapes) }),
    responses: Object.fromEntries(responses),
    'x-access': access,
  };
}

function parametersOf({ params, query, headers }: Route, shapes: Shapes): Parameter[] {
  const inPath = Object.entries(params ?? {}).map(([name, description]): Parameter => {
    return { name, in: 'path', required: true, description, schema: { type: 'string' } };
  });
  const inHeaders = Object.entries(headers ?? {}).map(([name, description]): Parameter => {
    return { name, in: 'header', required: false, description, schema: { type: 'string' } };
  });
  const asked = shapes.of(query);
  const required = (asked['required'] ?? []) as readonly string[];
  const properties = Object.entries((asked['properties'] ?? {}) as Record<string, JsonSchema>);
  const inQuery = properties.map(([name, { description, ...schema }]): Parameter => {
    return {
      name,
      in: 'query',
      required: required.includes(name),
      ...(typeof description === 'string' ? { description } : {}),
      ...(schema['type'] === 'object' ? { style: 'deepObject', explode: true } : {}),
      schema,
    };
  });
  return [...inPath, ...inHeaders, ...inQuery];
}

function requestBodyOf({ json, streams, form, optional }: Body, shapes: Shapes) {
  const content: Record<string, { schema: JsonSchema }> = {};
  for (const type of streams ?? []) content[type] = { schema: { type: 'string' } };
  if (json !== undefined) content['application/json'] = { schema: shapes.of(json) };
  if (form !== undefined) content['multipart/form-data'] = { schema: shapes.of(form) };
  return { required: optional !== true, content };
}

function responseOf({ description, schema, contentType }: Answer, shapes: Shapes) {
  if (schema === undefined && contentType === undefined) return { description };
  const type = contentType ?? 'application/json';
  const shape = schema === undefined ? { type: 'string' } : shapes.of(schema);
  return { description, content: { [type]: { schema: shape } } };
}

const LARGEST = Number.MAX_SAFE_INTEGER;

/** Schemas as the document writes them; those with an id stand in it once. */
class Shapes {
  readonly named: Record<string, JsonSchema> = {};

  of(schema: z.ZodType): JsonSchema {
    // As it is written by a caller: what is answered may get further fields in time.
    const made = z.toJSONSchema(schema, {
      io: 'input',
      unrepresentable: 'any',
      override: ({ jsonSchema }) => {
        // That a whole number is one says all of it.
        if (jsonSchema.maximum === LARGEST) delete jsonSchema.maximum;
        if (jsonSchema.minimum === -LARGEST) delete jsonSchema.minimum;
      },
    });
    const { $defs = {}, ...own } = pointed(made) as JsonSchema & { $defs?: object };
    Object.assign(this.named, $defs);
    return Object.fromEntries(
      Object.entries(own).filter(([keyword]) => keyword !== '$schema' && keyword !== '~standard'),
    );
  }
}

/** The same with its references pointing into the document. */
function pointed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(pointed);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, inner]) => {
    if (key === '$ref') return [key, String(inner).replace('#/$defs/', '#/components/schemas/')];
    return [key, pointed(inner)];
  });
  return Object.fromEntries(entries) as unknown;
}
