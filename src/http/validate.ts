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
  const path = issue.path.map(String).join('.');
  if (issue.code === 'unrecognized_keys') {
    const param = [...issue.path.map(String), issue.keys[0] ?? ''].join('.');
    const message = `Unknown ${where === 'query' ? 'parameter' : 'field'}: '${cut(param)}'.`;
    return fault('unknown_parameter', message, param);
  }
  if (isMissing(issue, value)) {
    const message = `Missing required parameter: '${path}'.`;
    return fault('missing_required_parameter', message, path);
  }
  if (issue.code === 'invalid_type') {
    const what = path === '' ? `the ${where}` : `'${cut(path)}'`;
    return fault('invalid_type', `Invalid type for ${what}: ${issue.message}.`, path);
  }
  const what = path === '' ? `the ${where}` : `'${cut(path)}'`;
  return fault('invalid_value', `Invalid value for ${what}: ${issue.message}.`, path);
}

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
