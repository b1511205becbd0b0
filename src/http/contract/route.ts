/**
 * What a route is: one entry of the contract, from which validation, types, the OpenAPI document,
 * the client commands and the tests of isolation are made.
 */

import { z } from 'zod';

/**
 * Who may call: anybody; who has a key (and everybody, where a service on loopback has none);
 * administrators (and everybody, likewise); administrators alone.
 */
export type Access = 'public' | 'tenant' | 'operator' | 'admin';

/** How errors look: RFC 9457, or OpenAI's envelope. */
export type Dialect = 'own' | 'openai';

/** What a request may carry. */
export interface Body<Json extends z.ZodType = z.ZodType> {
  /** Of `application/json`; absent: the route takes none. */
  readonly json?: Json;
  /** Content types that the handler reads by itself, as they stream in. */
  readonly streams?: readonly string[];
  /** Of a `multipart/form-data` body that the handler reads by itself: for the document. */
  readonly form?: z.ZodType;
  /** No body at all is fine. */
  readonly optional?: boolean;
}

/** One way in which the route answers. */
export interface Answer {
  readonly description: string;
  /** Of a JSON answer. */
  readonly schema?: z.ZodType;
  /** Of an answer that is not JSON. */
  readonly contentType?: string;
}

export interface Route<Query extends z.ZodType = z.ZodType, Json extends z.ZodType = z.ZodType> {
  /** Unique, in camel case: the document's operationId. */
  readonly operation: string;
  readonly method: 'get' | 'post' | 'delete';
  /** With `{name}` where a part of it is a parameter. */
  readonly path: string;
  readonly summary: string;
  readonly description?: string;
  /** A heading of the document. */
  readonly tag: string;
  readonly access: Access;
  readonly dialect: Dialect;
  /** Machines live by the answer: however often it is asked for, it comes. */
  readonly isUnlimited?: true;
  /** What each parameter of the path is, by name. */
  readonly params?: Readonly<Record<string, string>>;
  /** Of the query; what it does not name is refused. */
  readonly query: Query;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Body<Json>;
  readonly answers: Readonly<Record<number, Answer>>;
}

/** A route without a query. */
export const NO_QUERY = z.strictObject({});

/** Keeps the types of what the route takes. */
export function defineRoute<Query extends z.ZodType, Json extends z.ZodType = z.ZodNever>(
  route: Route<Query, Json>,
): Route<Query, Json> {
  return route;
}

/** A whole number that stands in a query. */
export function wholeInQuery(min: number, max: number) {
  return z
    .string()
    .regex(/^\d{1,15}$/, `must be a whole number from ${min} to ${max}`)
    .transform(Number)
    .pipe(z.number().min(min).max(max));
}

/** `true` or `1`, `false` or `0`. */
export const flagInQuery = z
  .enum(['true', '1', 'false', '0'])
  .transform((text) => text === 'true' || text === '1');
