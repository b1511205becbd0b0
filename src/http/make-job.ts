/** Makes the job that a call orders. */

import type { Order } from '../service/desk.ts';
import type { Submitted } from '../service/jobs.ts';
import type { Call } from './call.ts';
import { requireThere } from './client-gone.ts';

export type Caller = Pick<Call<unknown, unknown>, 'desk' | 'request' | 'signal'>;

/**
 * As `submit` of the desk. Throws a Problem where the client of an order without a key has gone:
 * it asks again, perhaps another process, and each of its tries would be a job of its own.
 */
export async function makeJob({ desk, signal }: Caller, order: Order): Promise<Submitted> {
  if (order.idempotencyKey === null) requireThere(signal);
  return desk.submit(order);
}
