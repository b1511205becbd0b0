/** `/openapi.json` and `/docs`: the contract shown to programs and to people. */

import type { Response } from 'express';
import type { Mounted } from '../call.ts';
import { mount } from '../call.ts';
import { getDocs, getDocsStyle, getOpenApi, getQueues } from '../contract/operations.ts';
import { PROBLEM_CODES } from '../contract/problem-codes.ts';
import type { Route } from '../contract/route.ts';
import { docsPage } from '../docs/page.ts';
import { DOCS_STYLE } from '../docs/style.ts';
import { openApiDocument } from '../openapi.ts';

/** Shows these routes, its own and the page of the queues. Everything is made once. */
export function referenceRoutes(routes: readonly Route[], version: string): Mounted[] {
  const own: readonly Route[] = [getQueues, getOpenApi, getDocs, getDocsStyle];
  const document = openApiDocument([...routes, ...own], version);
  const page = docsPage(document, PROBLEM_CODES, getDocsStyle.path);
  return [
    mount(getOpenApi, () => Promise.resolve({ status: 200, json: document })),
    mount(getDocs, ({ response }) => sent(response, 'text/html', page)),
    mount(getDocsStyle, ({ response }) => sent(response, 'text/css', DOCS_STYLE)),
  ];
}

function sent(response: Response, type: string, text: string): Promise<undefined> {
  response.setHeader('content-type', `${type}; charset=utf-8`);
  response.end(text);
  return Promise.resolve(undefined);
}
