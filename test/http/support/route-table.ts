/** The service's own table of routes, as it tells it: what stands there is what there is. */

import { expect } from 'vitest';

import type { Access } from '../../../src/http/contract/route.ts';
import type { OpenApiDocument } from '../../../src/http/openapi.ts';

export interface TableRoute {
  /** In upper case. */
  readonly method: string;
  /** With `{name}` where a part of it is a parameter. */
  readonly path: string;
  readonly access: Access;
  /** Names of the parameters in the path. */
  readonly params: readonly string[];
}

export async function routeTable(url: string): Promise<TableRoute[]> {
  const answer = await fetch(`${url}/openapi.json`);
  const { paths } = (await answer.json()) as OpenApiDocument;
  const routes = Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path,
      access: operation['x-access'],
      params: [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => String(name)),
    })),
  );
  expect(routes.length).toBeGreaterThan(20);
  return routes;
}

/** The path with the parameters' values in it. */
export function filled({ path }: TableRoute, values: Readonly<Record<string, string>>): string {
  return path.replaceAll(/\{(\w+)\}/g, (_, name: string) => values[name] ?? '');
}
