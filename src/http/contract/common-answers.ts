/** How every route answers, by who may call it and what it may carry: said once for all of them. */

import { refusal } from './openai-shapes.ts';
import { fault } from './problem.ts';
import type { Answer, Route } from './route.ts';

/** All answers of the route, by status; what the route says itself of a status is what holds. */
export function answersOf(route: Route): Readonly<Record<number, Answer>> {
  const say = route.dialect === 'openai' ? refusal : fault;
  const texts = { ...ALWAYS, ...accessTexts(route), ...bodyTexts(route) };
  const common = Object.entries(texts).map(([status, text]) => [status, say(text)] as const);
  return { ...Object.fromEntries(common), ...route.answers };
}

const ALWAYS: Readonly<Record<number, string>> = {
  400: 'The call is not what the route takes.',
  403: 'A page of another origin called.',
  421: 'The service does not answer to that Host.',
  429: 'Too many calls; Retry-After says how long to wait.',
  500: 'Something broke here.',
};

function accessTexts({ access }: Route): Readonly<Record<number, string>> {
  const key = { 401: 'No key, or none that is in force.' };
  switch (access) {
    case 'public':
      return {};
    case 'tenant':
      return key;
    case 'operator':
    case 'admin':
      return {
        ...key,
        403: 'The key is not an administrator’s, or a page of another origin called.',
      };
  }
}

function bodyTexts({ body }: Route): Readonly<Record<number, string>> {
  if (body === undefined) return {};
  return {
    408: 'The body did not come in time.',
    413: 'The body is larger than what is taken.',
    415: 'The body is of another type, character set or encoding than those that are taken.',
  };
}
