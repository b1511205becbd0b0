/** A failed answer of the calls that do not go through the SDK, and the JSON of the good ones. */

import type { Answer } from './exchange.ts';
import { UnreadableAnswer } from './weather.ts';
import type { FailedAnswer } from './weather.ts';

/** The answer's envelope opened: `{error: {…}}`, `{error: "…"}`, a bare object or a text. */
export function failedAnswerFrom(answer: Answer): FailedAnswer {
  const text = answer.body.toString('utf8');
  return {
    status: answer.status,
    header(name) {
      const value = answer.headers[name];
      return (Array.isArray(value) ? value[0] : value) ?? null;
    },
    error: errorIn(text),
  };
}

/** The body as JSON, null where it is empty; unreadable where it is neither. */
export function jsonIn(text: string): unknown {
  if (text.trim() === '') return null;
  try {
    return JSON.parse(text);
  } catch {
    throw new UnreadableAnswer('a success was announced, but the body is not JSON');
  }
}

function errorIn(text: string): unknown {
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body !== 'object' || body === null) return text;
    return 'error' in body && body.error ? body.error : body;
  } catch {
    return text;
  }
}
