/** Makes the jobs that calls order: for callers who are there, and where there is room. */

import type { TenantId } from '../domain/ids.ts';
import type { Desk, Order } from '../service/desk.ts';
import type { Submitted } from '../service/jobs.ts';
import type { Call } from './call.ts';
import { requireThere } from './client-gone.ts';

export type Caller = Pick<Call<unknown, unknown>, 'desk' | 'request' | 'signal'>;

/** Does what stores so many bytes of the tenant. Throws a Problem (413, 507) without room. */
export type WithRoom = <Value>(
  tenant: TenantId,
  sizeBytes: number,
  work: () => Promise<Value>,
) => Promise<Value>;

/**
 * As `submit` of the desk. Throws a Problem where the client of an order without a key has gone:
 * it asks again, perhaps another process, and each of its tries would be a job of its own.
 */
export async function makeJob({ desk, signal }: Caller, order: Order): Promise<Submitted> {
  if (order.idempotencyKey === null) requireThere(signal);
  return desk.submit(order);
}

/** `makeJob` of an uploaded file, which is stored once more when it is cut into chunks. */
export async function makeJobOfFile(
  caller: Caller,
  order: Order,
  withRoom: WithRoom,
): Promise<Submitted> {
  const { idempotencyKey, source } = order;
  const room = { idempotencyKey, sizeBytes: source.sizeBytes, withRoom };
  return whereRoomIs(caller.desk, room, () => makeJob(caller, order));
}

/** Who asks again for what is there already needs no room, and must not be told of any. */
export async function whereRoomIs<Value>(
  desk: Desk,
  room: { idempotencyKey: string | null; sizeBytes: number; withRoom: WithRoom },
  work: () => Promise<Value>,
): Promise<Value> {
  if (await desk.knows(room.idempotencyKey)) return work();
  return room.withRoom(desk.tenant, room.sizeBytes, work);
}
