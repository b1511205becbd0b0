/** What is wrong with one request line of a batch. */

import { isUtf8 } from 'node:buffer';

import type { BatchFinding } from './record.ts';

export type Problem = Omit<BatchFinding, 'line'>;

export interface RequestLine {
  readonly customId: string;
  readonly model: string;
  readonly body: Readonly<Record<string, unknown>>;
}

const CONTENT_FIELDS: Readonly<Record<string, string>> = {
  '/v1/chat/completions': 'messages',
  '/v1/completions': 'prompt',
  '/v1/embeddings': 'input',
  '/v1/moderations': 'input',
  '/v1/responses': 'input',
};

/** The request, or the first thing that is wrong with the line. */
export function readRequest(line: Buffer, endpoint: string): RequestLine | Problem {
  const fields = parseObject(line);
  if (fields === null) {
    return problem('invalid_json_line', null, 'This line is not parseable as valid JSON.');
  }
  for (const name of ['custom_id', 'method', 'url', 'body']) {
    if (fields[name] !== undefined && fields[name] !== null && fields[name] !== '') continue;
    return problem('missing_required_parameter', name, `Missing required parameter: '${name}'.`);
  }
  if (typeof fields['custom_id'] !== 'string') {
    return problem('invalid_request', 'custom_id', 'custom_id must be a string.');
  }
  if (fields['method'] !== 'POST') {
    return problem('invalid_request', 'method', 'Only POST requests are supported.');
  }
  if (fields['url'] !== endpoint) {
    const message = `The url '${String(fields['url'])}' differs from the endpoint of the batch.`;
    return problem('invalid_url', 'url', message);
  }
  return readBody(fields['custom_id'], fields['body'], endpoint);
}

export function isProblem(read: RequestLine | Problem): read is Problem {
  return 'code' in read;
}

/** Embedding inputs of a request: a list holds several, unless it is one of token numbers. */
export function inputsOf(body: Readonly<Record<string, unknown>>): number {
  const input = body['input'];
  if (!Array.isArray(input)) return 1;
  return typeof input[0] === 'number' ? 1 : input.length;
}

function parseObject(line: Buffer): Record<string, unknown> | null {
  if (!isUtf8(line)) return null;
  try {
    const value: unknown = JSON.parse(line.toString('utf8'));
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

function readBody(customId: string, body: unknown, endpoint: string): RequestLine | Problem {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    return problem('invalid_request', 'body', 'body must be an object.');
  }
  const fields = body as Record<string, unknown>;
  const model = fields['model'];
  if (typeof model !== 'string' || model === '') {
    return problem('invalid_request', 'body.model', 'The body has no model.');
  }
  const content = CONTENT_FIELDS[endpoint];
  if (content !== undefined && (fields[content] === undefined || fields[content] === null)) {
    return problem('invalid_request', `body.${content}`, `The body has no ${content}.`);
  }
  if (fields['stream'] === true) {
    return problem('streaming_unsupported', 'body.stream', 'Streaming is not supported.');
  }
  return { customId, model, body: fields };
}

function problem(code: string, param: string | null, message: string): Problem {
  return { code, message, param };
}
