/** The Batch endpoints. */

import { ApiError, noSuchBatch } from '../http/api-error.ts';
import type { Route } from '../http/exchange.ts';
import type { World } from '../world.ts';
import { createBatch } from './create.ts';
import { orderBatch } from './orders.ts';
import { liveBatch } from './lifecycle.ts';
import { BatchListing } from './listing.ts';
import { type BatchRecord, subjectOf, drawKeyOf } from './record.ts';
import { shownBatch } from './view.ts';

/** The routes of one world. */
export function batchesRoutes(world: World): Route[] {
  const listing = new BatchListing(world);
  const show = (batch: BatchRecord) => {
    const body = shownBatch(world, batch);
    listing.noteRetrieved(body);
    return { status: 200, body };
  };
  return [
    {
      verb: 'post',
      path: '/v1/batches',
      operation: 'create',
      async answer(request) {
        const batch = createBatch(world, request.body);
        // It lives on its own; a mistake in its life ends the process, as it should.
        void world.clock.run(() => liveBatch(world, batch));
        return show(batch);
      },
    },
    {
      verb: 'get',
      path: '/v1/batches',
      operation: 'list',
      answer: async (request) => ({ status: 200, body: listing.page(request.query) }),
    },
    {
      verb: 'get',
      path: '/v1/batches/:id',
      operation: 'retrieve',
      async answer(request) {
        const batch = findBatch(world, request.params['id']);
        if (world.faults.lingers('retrieve_404_for_a_while', drawKeyOf(batch), subjectOf(batch))) {
          throw noSuchBatch(batch.id);
        }
        return show(batch);
      },
    },
    {
      verb: 'post',
      path: '/v1/batches/:id/cancel',
      operation: 'cancel',
      async answer(request) {
        const batch = findBatch(world, request.params['id']);
        cancel(world, batch);
        return show(batch);
      },
    },
  ];
}

function findBatch(world: World, id: unknown): BatchRecord {
  const batch = world.batches.find(String(id));
  if (batch === null) throw noSuchBatch(String(id));
  return batch;
}

/** Cancelling again what is cancelling or cancelled changes nothing. */
function cancel(world: World, batch: BatchRecord): void {
  if (batch.status === 'cancelling' || batch.status === 'cancelled') return;
  if (!orderBatch(world, batch, { kind: 'cancel' })) {
    throw new ApiError({
      status: 409,
      message: `Cannot cancel a batch with status '${batch.status}'.`,
    });
  }
}
