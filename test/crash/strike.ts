/**
 * What a program that is started with `preload.ts` does to itself, and at which point: the shape
 * of the JSON in its environment. A point is one moment of one call that leaves the program: a
 * write, a link, a request, a ring. Its name is `<object>: <moment> <verb>`, as in
 * `chunk event submitted: after link` or `call create: before send`; `points.txt` lists all.
 */

import { pathToFileURL } from 'node:url';

/** The variable that holds the orders. */
export const ORDERS_VARIABLE = 'CRASH_ORDERS';

/** `kill`: SIGKILL to the own process. A code: the call rejects, or throws, with it. */
export type StrikeAction = 'kill' | 'ENOSPC' | 'EDQUOT' | 'EIO' | 'EROFS' | 'EACCES' | 'EMFILE';

export interface Strike {
  /** The point's name; each `*` in it stands for any characters. */
  readonly point: string;
  /**
   * The first time that is struck, from 1; counted over all points that fit, in the whole
   * process with its threads.
   */
  readonly occurrence: number;
  /**
   * With a code: `before` the call does not happen, `torn` half of its bytes are written first,
   * `after` it has happened and fails all the same.
   */
  readonly action: StrikeAction;
  /** How many times in a row are struck; null: all from then on. 1 by default. */
  readonly count?: number | null;
  /** Nothing is struck any more as soon as this path exists. */
  readonly untilExists?: string;
}

export interface StrikeOrders {
  readonly strikes: readonly Strike[];
  /** A file to which each point that is reached is appended, as a line. */
  readonly recordTo?: string;
  /** A file to which each point that is struck is appended, as a line, before it is struck. */
  readonly reportTo?: string;
}

/** What goes into the environment of the program that has to obey. */
export function strikeEnvironment(orders: StrikeOrders): Record<string, string> {
  const preload = pathToFileURL(`${import.meta.dirname}/preload.ts`).href;
  return {
    NODE_OPTIONS: `--import=${preload}`,
    [ORDERS_VARIABLE]: JSON.stringify(orders),
  };
}

/** The orders in an environment; none where the variable is absent. */
export function ordersIn(env: NodeJS.ProcessEnv): StrikeOrders {
  const text = env[ORDERS_VARIABLE];
  return text === undefined ? { strikes: [] } : (JSON.parse(text) as StrikeOrders);
}
