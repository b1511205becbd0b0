/** The ledger and the controls over HTTP, for tests with the simulator in another process. */

import express, { type RequestHandler, Router } from 'express';

import type { BatchOrder } from '../batches/record.ts';
import type { Controls } from '../controls.ts';
import { checkSimulatorFault } from '../faults/parse.ts';
import type { FaultName } from '../faults/names.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { World } from '../world.ts';
import { ApiError, invalidValue } from './api-error.ts';

const LISTED_DOUBLES = 1000;

/**
 * GET /simulator/ledger; GET and POST /simulator/controls. The body of a POST holds one or more
 * of: `setFault` (a switch), `clearFaults` (a name, or true for all), `advanceMs`, `pause`,
 * `resume`, `order` ({batchId, kind, share?, findings?}). It answers with the state after it.
 */
export function controlRoutes(world: World, controls: Controls): Router {
  const router = Router();
  router.use(express.json({ limit: '1mb' }));
  router.get('/ledger', (_request, response) => {
    response.json(ledgerOnWire(world.ledger));
  });
  router.get('/controls', (_request, response) => {
    response.json(stateOnWire(controls));
  });
  router.post('/controls', control(controls));
  return router;
}

function control(controls: Controls): RequestHandler {
  return async (request, response) => {
    await apply(controls, asFields(request.body));
    response.json(stateOnWire(controls));
  };
}

function ledgerOnWire(ledger: Ledger): unknown {
  return {
    totals: ledger.totals(),
    executedTwice: ledger.executedTwice().slice(0, LISTED_DOUBLES),
    batchesPerInputFile: ledger.batchesPerInputFile(),
    calls: ledger.calls(),
  };
}

function stateOnWire(controls: Controls): unknown {
  return {
    nowMs: controls.nowMs(),
    faults: controls.faults(),
    batches: controls.batches(),
    files: controls.files(),
  };
}

function asFields(body: unknown): Readonly<Record<string, unknown>> {
  if (typeof body === 'object' && body !== null) return body as Record<string, unknown>;
  throw new ApiError({ status: 400, message: 'The body must be a JSON object.' });
}

async function apply(controls: Controls, fields: Readonly<Record<string, unknown>>): Promise<void> {
  try {
    for (const [name, value] of Object.entries(fields)) await applyOne(controls, name, value);
  } catch (error) {
    if (error instanceof ApiError) throw error;
    throw new ApiError({ status: 400, message: error instanceof Error ? error.message : 'bad' });
  }
}

async function applyOne(controls: Controls, name: string, value: unknown): Promise<void> {
  switch (name) {
    case 'setFault':
      return controls.setFault(checkSimulatorFault(value));
    case 'clearFaults':
      return controls.clearFaults(typeof value === 'string' ? (value as FaultName) : undefined);
    case 'advanceMs':
      return controls.advance(Number(value));
    case 'pause':
      return controls.pause();
    case 'resume':
      return controls.resume();
    case 'order':
      return giveOrder(controls, value as BatchOrder & { batchId: string });
    default:
      throw invalidValue(name, `Unknown control: ${name}.`);
  }
}

function giveOrder(controls: Controls, value: BatchOrder & { batchId: string }): void {
  const { batchId, ...order } = value;
  const kinds: readonly string[] = ['cancel', 'expire', 'fail', 'complete'];
  if (!kinds.includes(order.kind)) throw invalidValue('order.kind', 'Unknown kind of order.');
  controls.order(batchId, order);
}
