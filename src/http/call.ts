/** A call of a route, checked and with a name on it, and the handlers that answer it. */

import type { Request, Response } from 'express';
import type { z } from 'zod';
import type { TenantId } from '../domain/ids.ts';
import type { Desk } from '../service/desk.ts';
import type { Route } from './contract/route.ts';

export interface Call<Query, Json> {
  readonly tenant: TenantId;
  readonly desk: Desk;
  readonly query: Query;
  /** Null: the body is none, or the handler's to read. */
  readonly json: Json | null;
  readonly request: Request;
  readonly response: Response;
  readonly requestId: string;
  /** Aborted when the client has gone. */
  readonly signal: AbortSignal;
  /** Rejects where the caller would not be let in any more. */
  readonly requireAllowed: () => Promise<void>;
  /** Aborted when the service was asked to end: what has no end of its own ends then. */
  readonly draining: AbortSignal;
  /** A parameter of the path, by its name. */
  readonly param: (name: string) => string;
}

/** What is answered as JSON. A handler that writes the response itself answers nothing. */
export interface Reply {
  readonly status: number;
  readonly json?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export type Handle<Query, Json> = (call: Call<Query, Json>) => Promise<Reply | undefined>;

/** A route with what answers it. */
export interface Mounted {
  readonly route: Route;
  readonly handle: Handle<unknown, unknown>;
}

/** Joins a route with its handler, which gets what the route's schemas make of a request. */
export function mount<Query extends z.ZodType, Json extends z.ZodType>(
  route: Route<Query, Json>,
  handle: Handle<z.output<Query>, z.output<Json>>,
): Mounted {
  // The app parses with this route's schemas before it calls.
  return { route, handle: handle as Handle<unknown, unknown> };
}
