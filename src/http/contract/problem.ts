/** How errors look on the own API: RFC 9457. */

import { z } from 'zod';
import type { Answer } from './route.ts';

/** One line of a request set, and what is wrong with it. */
export const lineError = z
  .object({
    line: z.int().min(1).describe('Counted from 1 in the request set.'),
    code: z.string(),
    message: z.string(),
    custom_id: z.string().nullable().optional(),
  })
  .meta({ id: 'LineError' });

export const problem = z
  .object({
    type: z.string().describe('A reference to the documentation of this code.'),
    title: z.string(),
    status: z.int(),
    detail: z.string().describe('What is wrong with this call, and the way out.'),
    code: z.string().describe('Stable: programs test for it.'),
    param: z.string().optional().describe('The parameter or field that is at fault.'),
    errors: z.array(lineError).optional().describe('The first bad lines.'),
    request_id: z.string(),
  })
  .meta({ id: 'Problem' });

export type ProblemBody = z.infer<typeof problem>;

/** A problem as an answer of a route. */
export function fault(description: string): Answer {
  return { description, schema: problem, contentType: 'application/problem+json' };
}
