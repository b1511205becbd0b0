/**
 * A batch's life on the virtual clock:
 *
 *   validating → in_progress → finalizing → completed
 *   validating → failed · anything alive → cancelling → cancelled · in_progress → expired
 *
 * The input file must exist until the batch is in progress; from then on the batch holds it open.
 */

import { type FileHandle, open } from 'node:fs/promises';

import type { FaultName } from '../faults/names.ts';
import { chance } from '../random.ts';
import { announce } from '../webhooks.ts';
import type { World } from '../world.ts';
import { Execution } from './execution.ts';
import { naturalEnd, reasonsToFail, unknownFailure } from './fate.ts';
import { orderBatch } from './orders.ts';
import {
  type BatchFinding,
  type BatchOrder,
  type BatchRecord,
  isTerminal,
  subjectOf,
  drawKeyOf,
} from './record.ts';
import { type Inspection, inspectInput } from './validation.ts';

/** Resolves when the batch has ended. */
export async function liveBatch(world: World, batch: BatchRecord): Promise<void> {
  const file = world.files.find(batch.inputFileId);
  const handle = file === null ? null : await openIfThere(file.path);
  try {
    const inspection = await validate(world, batch, handle);
    if (inspection !== null && handle !== null) {
      const execution = await Execution.open(world, batch, handle, inspection.lines);
      try {
        await progress(world, batch, execution);
        await conclude(world, batch, execution);
      } finally {
        await execution.discard();
      }
    }
  } finally {
    await handle?.close();
  }
  await announce(world, batch);
}

async function openIfThere(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, 'r');
  } catch {
    return null;
  }
}

/** Null: the batch has ended. */
async function validate(
  world: World,
  batch: BatchRecord,
  handle: FileHandle | null,
): Promise<Inspection | null> {
  const startMs = world.clock.nowMs();
  const inspection = handle && (await inspectInput(world, handle, batch.endpoint));
  const { validating } = world.settings.pace;
  await pause(world, batch, startMs + varied(world, batch, 'validating', validating));
  await holdWhile(world, batch, 'stuck_validating');
  if (batch.order?.kind === 'cancel') {
    await waitCancelling(world, batch);
    end(world, batch, 'cancel');
    return null;
  }
  const findings = reasonsToFail(world, batch, inspection);
  if (findings.length > 0 || inspection === null) {
    fail(world, batch, findings);
    return null;
  }
  batch.total = inspection.lines.count;
  batch.model = inspection.model;
  batch.promptTokens = inspection.promptTokens;
  batch.inProgressAt = world.clock.nowSeconds();
  world.ledger.recordBegin(batch);
  world.batches.setStatus(batch, 'in_progress');
  return inspection;
}

async function progress(world: World, batch: BatchRecord, execution: Execution): Promise<void> {
  const { inProgress, perRequest } = world.settings.pace;
  const startMs = world.clock.nowMs();
  const seconds = inProgress + perRequest * execution.total;
  const lastMs = varied(world, batch, 'in_progress', seconds);
  const fate = naturalEnd(world, batch);
  const target = Math.floor(execution.total * fate.share);
  const steps = Math.min(40, Math.max(1, target));
  for (let step = 1; step <= steps && batch.order === null; step++) {
    await pause(world, batch, startMs + (lastMs * step) / steps);
    if (batch.order === null) await execution.advanceTo(Math.floor((target * step) / steps));
  }
  if (fate.kind === 'expire') await pause(world, batch, batch.expiresAt * 1000);
  if (batch.order === null && fate.kind !== 'complete') orderBatch(world, batch, fate);
  await execution.advanceTo(Math.floor(execution.total * (batch.order?.share ?? 0)));
}

async function conclude(world: World, batch: BatchRecord, execution: Execution): Promise<void> {
  if (batch.order === null || batch.order.kind === 'complete') {
    await execution.advanceTo(execution.total);
    await finalize(world, batch);
  }
  const files = await execution.publish(REST_CODES[batch.order?.kind ?? 'complete']);
  // Asked again: a cancel may have come while the files were written.
  const kind = batch.order?.kind ?? 'complete';
  if (kind === 'cancel') await waitCancelling(world, batch);
  batch.outputFileId = files.output;
  batch.errorFileId = files.errors;
  end(world, batch, kind);
}

const REST_CODES = {
  cancel: 'batch_cancelled',
  expire: 'batch_expired',
  fail: null,
  complete: null,
} as const;

function end(world: World, batch: BatchRecord, kind: BatchOrder['kind']): void {
  const now = world.clock.nowSeconds();
  switch (kind) {
    case 'cancel':
      batch.cancelledAt = now;
      return world.batches.setStatus(batch, 'cancelled');
    case 'expire':
      batch.expiredAt = now;
      return world.batches.setStatus(batch, 'expired');
    case 'fail':
      return fail(world, batch, batch.order?.findings ?? [unknownFailure()]);
    case 'complete':
      batch.completedAt = now;
      return world.batches.setStatus(batch, 'completed');
  }
}

async function finalize(world: World, batch: BatchRecord): Promise<void> {
  batch.finalizingAt = world.clock.nowSeconds();
  world.batches.setStatus(batch, 'finalizing');
  const { finalizing } = world.settings.pace;
  const lastMs = varied(world, batch, 'finalizing', finalizing);
  await pause(world, batch, world.clock.nowMs() + lastMs);
  await holdWhile(world, batch, 'stuck_finalizing');
  const isLate = world.clock.nowSeconds() >= batch.expiresAt;
  if (isLate && world.faults.isOn('stuck_finalizing')) batch.order ??= { kind: 'expire' };
}

async function waitCancelling(world: World, batch: BatchRecord): Promise<void> {
  const lastMs = varied(world, batch, 'cancelling', world.settings.pace.cancelling);
  await world.clock.sleepUntil(world.clock.nowMs() + lastMs, `${batch.id} cancelling`);
}

function fail(world: World, batch: BatchRecord, findings: readonly BatchFinding[]): void {
  batch.findings = findings;
  batch.failedAt = world.clock.nowSeconds();
  world.batches.setStatus(batch, 'failed');
}

/** Waits for the moment, but no longer than until an order comes. */
async function pause(world: World, batch: BatchRecord, dueMs: number): Promise<void> {
  if (batch.order === null) await world.clock.sleepUntil(dueMs, batch.id);
}

/** While the fault holds the batch: until it is switched off, an order comes, or it expires. */
async function holdWhile(world: World, batch: BatchRecord, name: FaultName): Promise<void> {
  const isStuck = (): boolean =>
    world.faults.afflicts(name, drawKeyOf(batch), subjectOf(batch)) !== null;
  while (batch.order === null && !isTerminal(batch.status) && isStuck()) {
    const nowMs = world.clock.nowMs();
    if (nowMs >= batch.expiresAt * 1000) return;
    await pause(world, batch, Math.min(nowMs + 60_000, batch.expiresAt * 1000));
  }
}

/** Virtual milliseconds: the seconds, more or less up to a half of them. */
function varied(world: World, batch: BatchRecord, phase: string, seconds: number): number {
  return seconds * 1000 * (0.5 + chance(world.settings.seed, 'pace', phase, batch.ordinal));
}
