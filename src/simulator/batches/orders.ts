/** Orders: what is to become of a live batch other than its natural end. */

import type { World } from '../world.ts';
import { type BatchOrder, type BatchRecord, isTerminal } from './record.ts';

/** Gives the order and wakes the batch; false where it has ended already. The last order holds. */
export function orderBatch(world: World, batch: BatchRecord, order: BatchOrder): boolean {
  if (isTerminal(batch.status)) return false;
  batch.order = order;
  if (order.kind === 'cancel' && batch.status !== 'cancelling') {
    batch.cancellingAt = world.clock.nowSeconds();
    world.batches.setStatus(batch, 'cancelling');
  }
  world.clock.interrupt(batch.id);
  return true;
}
