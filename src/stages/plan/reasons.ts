/** Why lines are turned away: one sentence for each reason, with the way out. */

import { ENDPOINTS } from '../../domain/request.ts';
import type { Rejection } from '../../domain/request.ts';
import { MAX_DEPTH } from '../../jsonl/json-walker.ts';

const MAX_SHOWN = 60;

export const INVALID_UTF8: Rejection = {
  code: 'invalid_utf8',
  message: 'the line is not valid UTF-8; convert the input to UTF-8',
};

export const NOT_AN_OBJECT: Rejection = {
  code: 'not_an_object',
  message: 'the line is not a JSON object; write one {"custom_id":…,"body":{…}} a line',
};

export const NESTED_TOO_DEEP: Rejection = {
  code: 'nested_too_deep',
  message: `the line nests objects and lists deeper than ${MAX_DEPTH}; flatten it`,
};

export const INVALID_CUSTOM_ID: Rejection = {
  code: 'invalid_custom_id',
  message: 'custom_id must be a non-empty string; mend it',
};

export const INVALID_METHOD: Rejection = {
  code: 'invalid_method',
  message: 'method must be "POST"; mend it',
};

export const MISSING_URL: Rejection = {
  code: 'missing_url',
  message: 'url is missing and no line before names one; add it, or name an endpoint for the set',
};

export const MISSING_BODY: Rejection = {
  code: 'missing_body',
  message: 'body is missing; put the request into it',
};

export const INVALID_BODY: Rejection = {
  code: 'invalid_body',
  message: 'body must be an object',
};

export const MISSING_MODEL: Rejection = {
  code: 'missing_model',
  message: 'body.model is missing; add it, or name a model for lines without one',
};

export const INVALID_MODEL: Rejection = {
  code: 'invalid_model',
  message: 'body.model must be a non-empty string',
};

export const STREAMING_UNSUPPORTED: Rejection = {
  code: 'streaming_unsupported',
  message: 'body.stream is true, but a batch cannot stream; remove it',
};

export const MISSING_INPUT: Rejection = {
  code: 'missing_input',
  message: 'body.input must be a string, or a list of strings or of tokens',
};

/** Of a set whose lines may leave nothing out. */
export function missing(code: Rejection['code'], field: string): Rejection {
  return { code, message: `${field} is missing; add it` };
}

export function invalidJson(byte: number): Rejection {
  const message = `the line is not valid JSON at byte ${byte}; mend or remove it`;
  return { code: 'invalid_json', message };
}

export function lineTooLong(maxLineBytes: number): Rejection {
  const message = `the line is longer than ${maxLineBytes} bytes; shorten it`;
  return { code: 'line_too_long', message };
}

export function duplicateKey(key: string): Rejection {
  const message = `the key ${shown(key)} stands twice; keep one of them`;
  return { code: 'duplicate_key', message };
}

export function duplicateCustomId(firstLine: number): Rejection {
  const message = `line ${firstLine} has the same custom_id; give each line its own`;
  return { code: 'duplicate_custom_id', message };
}

export function unknownUrl(url: string): Rejection {
  const message = `url ${shown(url)} is not served; use one of ${ENDPOINTS.join(', ')}`;
  return { code: 'unknown_url', message };
}

export function mixedUrl(url: string, endpoint: string): Rejection {
  const message = `url ${shown(url)} differs from ${endpoint}; run each endpoint as its own input`;
  return { code: 'mixed_url', message };
}

export function tooManyInputs(inputs: number, maxInputs: number): Rejection {
  const message = `body.input holds ${inputs} inputs, at most ${maxInputs} fit a batch; split it`;
  return { code: 'too_many_inputs', message };
}

export function requestTooLarge(sizeBytes: number, maxBytes: number): Rejection {
  const message = `the request has ${sizeBytes} bytes, at most ${maxBytes} fit a batch; shorten it`;
  return { code: 'request_too_large', message };
}

function shown(text: string): string {
  return JSON.stringify(text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text);
}
