/** What the contract says of answers, held against every answer that a test gets. */

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

import { answersOf } from '../../src/http/contract/common-answers.ts';
import type { Route } from '../../src/http/contract/route.ts';

const FOLDER = join(import.meta.dirname, '../../src/http/contract');

/** Every route that a file of the contract exports. */
export async function contractRoutes(): Promise<Route[]> {
  const routes: Route[] = [];
  for (const name of await readdir(FOLDER)) {
    const module = (await import(join(FOLDER, name))) as Record<string, unknown>;
    for (const value of Object.values(module)) if (isRoute(value)) routes.push(value);
  }
  return routes;
}

/** Throws where the contract does not say that a service answers so. */
export async function requireDeclared(method: string, url: string, status: number): Promise<void> {
  const { pathname } = new URL(url);
  const wanted = method === 'HEAD' ? 'get' : method.toLowerCase();
  const route = (await known).find((one) => one.method === wanted && isAt(pathname, one));
  // What is at no route, or is not for its method, no route speaks of.
  if (route === undefined || status in answersOf(route)) return;
  throw new Error(`${method} ${pathname} was answered ${status}, which is not declared`);
}

const known = contractRoutes();

function isAt(pathname: string, { path }: Route): boolean {
  return new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(pathname);
}

function isRoute(value: unknown): value is Route {
  return typeof value === 'object' && value !== null && 'operation' in value;
}
