/** The SDK's `fetch`, made of exactly one exchange; the answer is complete when it resolves. */

import type { IncomingHttpHeaders } from 'node:http';
import type { Agents } from './exchange.ts';
import { answerOf, createAgents, headOf, openRequest } from './exchange.ts';

type Fetch = (url: string | URL | Request, init?: RequestInit) => Promise<Response>;

/**
 * A fetch for texts up to the bound of an answer. Since the body is read before it resolves, the
 * SDK's timeout covers the body too, and a cut success rejects.
 */
export function createSingleRequestFetch(): Fetch {
  const agents = createAgents();
  return async (url, init = {}) => {
    const method = init.method ?? 'GET';
    const request = openRequest(new URL(url instanceof Request ? url.url : url), {
      method,
      headers: Object.fromEntries(new Headers(init.headers)),
      ...(init.signal ? { signal: init.signal } : {}),
      agents: agentsFor(method, agents),
    });
    const head = headOf(request);
    request.end(typeof init.body === 'string' ? init.body : undefined);
    const { status, headers, body } = await head.then(answerOf).catch((error: unknown) => {
      // A deadline that strikes amid the body shows as a reset: say what it was.
      init.signal?.throwIfAborted();
      throw error;
    });
    const isNull = status === 204 || status === 205 || status === 304;
    return new Response(isNull ? null : new Uint8Array(body), {
      status,
      headers: responseHeaders(headers),
    });
  };
}

/**
 * A kept connection that the server just closed loses the request without a trace: harmless for
 * a read, minutes of looking for a create.
 */
function agentsFor(method: string, agents: Agents): Agents | null {
  return method === 'GET' ? agents : null;
}

function responseHeaders(headers: IncomingHttpHeaders): Headers {
  const result = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined) continue;
    for (const item of Array.isArray(value) ? value : [value]) result.append(name, item);
  }
  return result;
}
