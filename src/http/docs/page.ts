/** The reference of all routes as one page, made on the server; it needs no script. */

import type { OpenApiDocument, Operation } from '../openapi.ts';
import { curlOf } from './curl.ts';
import type { Html } from './html.ts';
import { html, prose } from './html.ts';
import { fieldRow, fieldsOf, fieldTable, table, typeOf } from './shapes.ts';

/** A stable code of an error, and what it says. */
export interface DocumentedCode {
  readonly code: string;
  readonly meaning: string;
}

interface Entry {
  readonly path: string;
  readonly method: string;
  readonly operation: Operation;
}

/** A whole HTML page. `stylePath`: where its style is. */
export function docsPage(
  document: OpenApiDocument,
  codes: readonly DocumentedCode[],
  stylePath: string,
): string {
  const entries = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  const tags = document.tags.map(({ name }) => name);
  const { title, version, description } = document.info;
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}: HTTP API</title>
        <link rel="stylesheet" href="${stylePath}" />
      </head>
      <body>
        <nav aria-label="Contents">
          <p class="brand">${title} <span class="soft">${version}</span></p>
          ${tags.map((tag) => menu(tag, entries))}
          <p class="tag"><a href="#shapes">Shapes</a></p>
          <p class="tag"><a href="#problems">Error codes</a></p>
        </nav>
        <main>
          <header>
            <h1>HTTP API</h1>
            <p>${description}</p>
            <p>
              This page as a document for programs:
              <a href="/openapi.json">/openapi.json</a>. In the examples
              <code>$BATCHWRIGHT_URL</code> is where this service is, without a slash at the end,
              and <code>$BATCHWRIGHT_API_KEY</code> a key of yours.
            </p>
          </header>
          ${tags.map((tag) => chapter(tag, entries))} ${shapes(document)} ${problems(codes)}
        </main>
      </body>
    </html>`;
  return page.text;
}

function menu(tag: string, entries: readonly Entry[]): Html {
  const links = entries
    .filter(({ operation }) => operation.tags.includes(tag))
    .map(
      ({ method, path, operation }) =>
        html`<li>
          <a href="#${operation.operationId}">
            <span class="method ${method}">${method}</span> <code>${path}</code>
          </a>
        </li>`,
    );
  return html`<p class="tag">${tag}</p>
    <ul>
      ${links}
    </ul>`;
}

function chapter(tag: string, entries: readonly Entry[]): Html {
  const own = entries.filter(({ operation }) => operation.tags.includes(tag));
  return html`<section>
    <h2>${tag}</h2>
    ${own.map(article)}
  </section>`;
}

const ACCESS_TEXTS: Readonly<Record<Operation['x-access'], string>> = {
  public: 'Anybody may call this; it needs no key.',
  tenant: 'Needs a key, and sees what is its tenant’s.',
  operator: 'Needs an administrator’s key, or none where a service on loopback has no keys.',
  admin: 'Needs an administrator’s key.',
};

function article(entry: Entry): Html {
  const { path, method, operation } = entry;
  const { summary, description, operationId } = operation;
  return html`<article id="${operationId}">
    <h3>
      <a href="#${operationId}">
        <span class="method ${method}">${method}</span> <code>${path}</code>
      </a>
    </h3>
    <p class="summary">${summary}.</p>
    ${description === undefined ? null : html`<p>${prose(description)}</p>`}
    <p class="soft">${ACCESS_TEXTS[operation['x-access']]}</p>
    ${parameters(operation)} ${body(operation)} ${answers(operation)}
    <h4>Example</h4>
    <pre><code>${curlOf(method, path, operation)}</code></pre>
  </article>`;
}

const PLACES = { path: 'In the path', query: 'In the query', header: 'Headers' } as const;

function parameters({ parameters: all = [] }: Operation): Html[] {
  return (['path', 'query', 'header'] as const).flatMap((place) => {
    const rows = all
      .filter((one) => one.in === place)
      .map(({ name, required, description, schema }) =>
        fieldRow(name, description === undefined ? schema : { ...schema, description }, required),
      );
    return rows.length === 0 ? [] : [html`<h4>${PLACES[place]}</h4>`, fieldTable(rows)];
  });
}

function body({ requestBody }: Operation): Html | null {
  if (requestBody === undefined) return null;
  const kinds = Object.entries(requestBody.content).map(([type, { schema }]) => {
    const fields = fieldsOf(schema);
    return html`<p class="type"><code>${type}</code></p>
      ${fields}`;
  });
  const isOptional = requestBody.required ? null : html` <span class="soft">optional</span>`;
  return html`<h4>Body${isOptional}</h4>
    ${kinds}`;
}

function answers({ responses }: Operation): Html {
  const rows = Object.entries(responses).map(([status, { description, content }]) => {
    const [kind] = Object.entries(content ?? {});
    return html`<tr>
      <td><code class="status s${status.slice(0, 1)}">${status}</code></td>
      <td>${kind === undefined ? '' : answerKind(kind[0], kind[1].schema)}</td>
      <td>${prose(description)}</td>
    </tr>`;
  });
  return html`<h4>Answers</h4>
    ${table(['Status', 'Body', 'Meaning'], rows)}`;
}

function answerKind(type: string, schema: Parameters<typeof typeOf>[0]): Html {
  return '$ref' in schema ? typeOf(schema) : html`<code>${type}</code>`;
}

function shapes({ components }: OpenApiDocument): Html {
  const own = Object.entries(components.schemas).map(
    ([name, schema]) =>
      html`<article id="shape-${name}">
        <h3><a href="#shape-${name}">${name}</a></h3>
        ${fieldsOf(schema) ?? html`<p>${typeOf(schema)}</p>`}
      </article>`,
  );
  return html`<section id="shapes">
    <h2>Shapes</h2>
    ${own}
  </section>`;
}

function problems(codes: readonly DocumentedCode[]): Html {
  const rows = codes.map(
    ({ code, meaning }) =>
      html`<tr id="problem-${code}">
        <td><code>${code}</code></td>
        <td>${prose(meaning)}</td>
      </tr>`,
  );
  return html`<section id="problems">
    <h2>Error codes</h2>
    <p>
      Errors of the own API are problem details (RFC 9457); those of files and batches have OpenAI’s
      shape. The codes are the same in both, and stable.
    </p>
    ${table(['Code', 'Meaning'], rows)}
  </section>`;
}
