/** Points of the calls to the provider: before a request leaves, amid a body, at its answer. */

import http from 'node:http';
import https from 'node:https';

import type { Striker } from './striker.ts';

type Request = (url: URL, options: http.RequestOptions) => http.ClientRequest;

/** Operations by method and the end of the path; the first that fits. */
const OPERATIONS: readonly (readonly [string, RegExp, string])[] = [
  ['POST', /\/files$/, 'upload'],
  ['GET', /\/files$/, 'file list'],
  ['GET', /\/files\/[^/]+\/content$/, 'download'],
  ['GET', /\/files\/[^/]+$/, 'file retrieve'],
  ['DELETE', /\/files\/[^/]+$/, 'file delete'],
  ['POST', /\/batches$/, 'create'],
  ['GET', /\/batches$/, 'list'],
  ['GET', /\/batches\/[^/]+$/, 'retrieve'],
  ['POST', /\/batches\/[^/]+\/cancel$/, 'cancel'],
];

export function patchRequests(striker: Striker): void {
  for (const protocol of [http, https]) {
    const original: Request = protocol.request.bind(protocol);
    const replacement: Request = (url, options) => {
      const object = `call ${operationOf(options.method ?? 'GET', url.pathname)}`;
      striker.reach(object, 'before', 'send');
      const request = original(url, options);
      if (object === 'call upload') tearBody(striker, object, request);
      // The answer is with us, and nothing of the program has seen it.
      request.prependOnceListener('response', () => striker.reach(object, 'after', 'answer'));
      return request;
    };
    Object.assign(protocol, { request: replacement });
  }
}

function operationOf(method: string, path: string): string {
  const found = OPERATIONS.find(([of, end]) => of === method && end.test(path));
  return found?.[2] ?? 'unknown';
}

/** The second block of an upload is the first of the file; the first one is the form's head. */
function tearBody(striker: Striker, object: string, request: http.ClientRequest): void {
  const write = request.write.bind(request) as (bytes: Buffer, done: () => void) => boolean;
  let blocks = 0;
  const torn = (bytes: Buffer, done: () => void): boolean => {
    blocks += 1;
    const strike = blocks === 2 ? striker.due(object, 'torn', 'send') : null;
    if (strike === null) return write(bytes, done);
    return write(bytes.subarray(0, bytes.length >> 1), strike);
  };
  Object.assign(request, { write: torn });
}
