/** Checks what a request carries against its route's schemas, and says which part is at fault. */

import type { z } from 'zod';
import { Problem } from './problem.ts';

type Issue = z.core.$ZodIssue;

/** The value as the schema makes it. Throws a Problem of 400 that names the first fault. */
export function validated(schema: z.ZodType, value: unknown, where: 'query' | 'body'): unknown {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  if (issue === undefined) throw new Problem({ status: 400, code: 'invalid_value', message: '' });
  throw problemOfIssue(issue, value, where);
}

function problemOfIssue(issue: Issue, value: unknown, where: 'query' | 'body'): Problem {
  // A key may be empty, which names nothing.
  const path = issue.path
    .map(String)
    .filter((key) => key !== '')
    .join('.');
  if (issue.code === 'unrecognized_keys') {
    const param = [...issue.path.map(String), issue.keys[0] ?? ''].join('.');
    const message = `Unknown ${where === 'query' ? 'parameter' : 'field'}: '${cut(param)}'.`;
    return fault('unknown_parameter', message, param);
  }
  if (isMissing(issue, value)) {
    const message = `Missing required parameter: '${path}'.`;
    return fault('missing_required_parameter', message, path);
  }
  const what = path === '' ? `the ${where}` : `'${cut(path)}'`;
  if (issue.code === 'invalid_type') {
    return fault('invalid_type', `Invalid type for ${what}: it ${wordsOf(issue)}.`, path);
  }
  return fault('invalid_value', `Invalid value for ${what}: it ${wordsOf(issue)}.`, path);
}

/** What must be, to be read behind "it"; what the contract says in words of its own stays so. */
function wordsOf(issue: Issue): string {
  switch (issue.code) {
    case 'too_small':
      return `must ${amount('at least', issue.minimum, issue.origin)}`;
    case 'too_big':
      return `must ${amount('at most', issue.maximum, issue.origin)}`;
    case 'invalid_value':
      return `must be ${issue.values.length > 1 ? 'one of ' : ''}${issue.values.join(', ')}`;
    case 'invalid_type':
      return `must be ${TYPES[issue.expected] ?? issue.expected}`;
    case 'invalid_key': {
      const [first] = issue.issues;
      return `has a name that ${first === undefined ? 'is not taken' : wordsOf(first)}`;
    }
    case 'custom':
    case 'invalid_format':
    case 'invalid_element':
    case 'invalid_union':
    case 'not_multiple_of':
    case 'unrecognized_keys':
      return issue.message;
  }
}

function amount(bound: string, count: number | bigint, origin: string): string {
  if (origin === 'string') return `have ${bound} ${count} character${count === 1 ? '' : 's'}`;
  if (origin === 'array') return `hold ${bound} ${count} item${count === 1 ? '' : 's'}`;
  return `be ${bound} ${count}`;
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'a string',
  int: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
};

/** Whether nothing stands where the issue is. */
function isMissing(issue: Issue, value: unknown): boolean {
  let found: unknown = value;
  for (const key of issue.path) {
    if (typeof found !== 'object' || found === null) return false;
    found = (found as Record<PropertyKey, unknown>)[key];
  }
  return found === undefined;
}

function fault(code: string, message: string, param: string): Problem {
  return new Problem({ status: 400, code, message, param: param === '' ? null : cut(param) });
}

/** What a caller wrote, short enough to be repeated to them. */
function cut(text: string): string {
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}
