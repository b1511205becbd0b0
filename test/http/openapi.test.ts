import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { Ajv2020 } from 'ajv/dist/2020.js';
import { beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';

import { answersOf } from '../../src/http/contract/common-answers.ts';
import { PROBLEM_CODES } from '../../src/http/contract/problem-codes.ts';
import type { Route } from '../../src/http/contract/route.ts';
import { defineRoute, NO_QUERY, wholeInQuery } from '../../src/http/contract/route.ts';
import { docsPage } from '../../src/http/docs/page.ts';
import type { JsonSchema, OpenApiDocument } from '../../src/http/openapi.ts';
import { openApiDocument } from '../../src/http/openapi.ts';
import { contractRoutes } from '../support/declared.ts';

const HTTP_FOLDER = join(import.meta.dirname, '../../src/http');

let routes: Route[];
let document: OpenApiDocument;
beforeAll(async () => {
  routes = await contractRoutes();
  document = openApiDocument(routes, '1.2.3');
});

function operations() {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
}

/** What composes the doors throws problems too. */
const COMPOSITION = ['serve', 'operations', 'admission'].map((name) => `../composition/${name}.ts`);

describe('the OpenAPI document', () => {
  test('holds every route of the contract, each with a name of its own', () => {
    expect(routes.length).toBeGreaterThan(25);
    const told = operations().map(({ path, method }) => `${method} ${path}`);
    const known = routes.map(({ path, method }) => `${method} ${path}`);
    expect(told.toSorted()).toEqual(known.toSorted());
    const names = operations().map(({ operation }) => operation.operationId);
    expect(new Set(names).size).toBe(names.length);
  });

  test('says of each route what it takes, who may call it and how it answers', () => {
    for (const { path, method, operation } of operations()) {
      const route = routes.find((one) => one.path === path && one.method === method);
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      const given = (operation.parameters ?? []).filter((one) => one.in === 'path');
      expect(given.map(({ name }) => name)).toEqual(inPath);
      if (route === undefined) throw new Error(`${path} stands in no route`);
      const statuses = Object.keys(operation.responses);
      expect(statuses).toEqual(Object.keys(answersOf(route)));
      expect(statuses).toEqual(expect.arrayContaining(Object.keys(route.answers)));
      expect(statuses.includes('401')).toBe(route.access !== 'public');
      expect(statuses.includes('415')).toBe(route.body !== undefined);
      expect(operation.security.length > 0).toBe(route.access !== 'public');
      expect(operation.requestBody !== undefined).toBe(route.body !== undefined);
    }
  });

  test('has schemas that a validator takes, and references that lead somewhere', () => {
    const inParts = operations().flatMap(({ operation }) => {
      const { parameters = [], requestBody, responses } = operation;
      const contents = [
        requestBody?.content,
        ...Object.values(responses).map((one) => one.content),
      ];
      const bodies = contents.flatMap((content) => Object.values(content ?? {}));
      return [...parameters, ...bodies].map(({ schema }) => schema);
    });
    const all: JsonSchema[] = [...Object.values(document.components.schemas), ...inParts];
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    ajv.addSchema(document, 'document');
    const anyOf = JSON.parse(JSON.stringify(all).replaceAll('"#/', '"document#/')) as object[];
    expect(anyOf.length).toBeGreaterThan(80);
    expect(ajv.compile({ anyOf })).toBeTypeOf('function');
  });

  test('writes a route as OpenAPI does', () => {
    const thing = z.object({ id: z.string(), size: z.int() }).meta({ id: 'Thing' });
    const route = defineRoute({
      operation: 'makeThing',
      method: 'post',
      path: '/v1/things/{thing}',
      summary: 'Make a thing',
      tag: 'Things',
      access: 'tenant',
      dialect: 'own',
      params: { thing: 'Its id.' },
      query: z.strictObject({
        limit: wholeInQuery(1, 9).describe('How many.'),
        metadata: z.record(z.string(), z.string()).optional(),
      }),
      body: { json: z.strictObject({ parts: z.array(thing) }), optional: true },
      answers: { 200: { description: 'The thing.', schema: thing } },
    });
    const made = openApiDocument([route], '1').paths['/v1/things/{thing}']?.['post'];
    const anyText = { type: 'string' };
    expect(made).toMatchObject({
      operationId: 'makeThing',
      security: [{ key: [] }],
      parameters: [
        { name: 'thing', in: 'path', required: true, description: 'Its id.', schema: anyText },
        { name: 'limit', in: 'query', required: true, description: 'How many.', schema: anyText },
        { name: 'metadata', in: 'query', required: false, style: 'deepObject', explode: true },
      ],
      requestBody: {
        required: false,
        content: {
          'application/json': {
            schema: {
              type: 'object',
              properties: { parts: { items: { $ref: '#/components/schemas/Thing' } } },
              additionalProperties: false,
            },
          },
        },
      },
      responses: {
        200: {
          description: 'The thing.',
          content: { 'application/json': { schema: { $ref: '#/components/schemas/Thing' } } },
        },
      },
    });
  });
});

describe('the page of the reference', () => {
  const shown = (): string => docsPage(document, PROBLEM_CODES, '/docs/style.css');

  test('shows every route, shape and code at an anchor, and needs nothing from elsewhere', () => {
    const page = shown();
    const anchors = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id ?? '');
    expect(new Set(anchors).size).toBe(anchors.length);
    for (const { operation } of routes) expect(anchors).toContain(operation);
    for (const name of Object.keys(document.components.schemas)) {
      expect(anchors).toContain(`shape-${name}`);
    }
    for (const { code } of PROBLEM_CODES) expect(anchors).toContain(`problem-${code}`);
    for (const [, target = ''] of page.matchAll(/ href="#([^"]+)"/g)) {
      expect(anchors).toContain(target);
    }
    expect(page).not.toMatch(/<script|<style|https?:\/\/|\son\w+=|style="/);
  });

  test('shows what stands in the contract as text, whatever it is', () => {
    const evil = defineRoute({
      operation: 'evil',
      method: 'get',
      path: '/v1/evil',
      summary: '<script>alert("1")</script> & more',
      tag: `'"><img src=x>`,
      access: 'public',
      dialect: 'own',
      query: NO_QUERY,
      answers: { 200: { description: '<b> `<i>` is code' } },
    });
    const page = docsPage(openApiDocument([evil], '1'), [], '/s');
    expect(page).not.toMatch(/<script|<img|<b>|<i>|`/);
    expect(page).toContain('&#60;b&#62; <code>&#60;i&#62;</code> is code');
    expect(page).toContain('&#60;script&#62;alert(&#34;1&#34;)&#60;/script&#62; &#38; more');
  });
});

/** Codes of bad lines are OpenAI's, and stand in its documentation. */
const OTHERS_CODES = join('openai', 'batch-errors.ts');

test('every code of a problem that the doors throw is documented', async () => {
  const known = new Set(PROBLEM_CODES.map(({ code }) => code));
  const names = await readdir(HTTP_FOLDER, { recursive: true });
  const inDoors = names.filter((one) => one.endsWith('.ts') && !one.startsWith('contract'));
  const files = inDoors.filter((one) => one !== OTHERS_CODES);
  const thrown = new Set<string>();
  for (const name of [...files, ...COMPOSITION]) {
    const text = await readFile(join(HTTP_FOLDER, name), 'utf8');
    for (const [, code = ''] of text.matchAll(/\bcode: '([a-z_]+)'/g)) thrown.add(code);
  }
  expect(thrown.size).toBeGreaterThan(20);
  expect([...thrown].filter((code) => !known.has(code)).toSorted()).toEqual([]);
});
