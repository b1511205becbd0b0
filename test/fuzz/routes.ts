/** The routes to aim at, as the service itself lists them. */

import type { OpenApiDocument } from '../../src/http/openapi.ts';

export interface TableRoute {
  readonly method: string;
  /** With `{name}` where a part of it is a parameter. */
  readonly path: string;
  /** Names of what the query may hold. */
  readonly query: readonly string[];
  /** Content types of its body. */
  readonly bodies: readonly string[];
}

export async function readRoutes(port: number): Promise<TableRoute[]> {
  const answer = await fetch(`http://127.0.0.1:${port}/openapi.json`);
  const { paths } = (await answer.json()) as OpenApiDocument;
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path,
      query: (operation.parameters ?? []).flatMap(({ in: place, name }) =>
        place === 'query' ? [name] : [],
      ),
      bodies: Object.keys(operation.requestBody?.content ?? {}),
    })),
  );
}
