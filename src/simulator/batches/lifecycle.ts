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
import { orderBatch } from './orders.ts';
import { type BatchFinding, type BatchRecord, isTerminal, subjectOf } from './record.ts';
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
    await cancelAfterWhile(world, batch);
    return null;
  }
  const findings = reasonsToFail(world, batch, inspection);
  if (findings.length > 0 || inspection === null) {
    fail(world, batch, findings);
    return null;
  }
  batch.total = inspection.lines.length;
  batch.model = inspection.model;
  batch.promptTokens = inspection.promptTokens;
  batch.inProgressAt = world.clock.nowSeconds();
  world.ledger.recordBegin(batch);
  world.batches.setStatus(batch, 'in_progress');
  return inspection;
}

function reasonsToFail(
  world: World,
  batch: BatchRecord,
  inspection: Inspection | null,
): readonly BatchFinding[] {
  if (inspection === null || world.files.find(batch.inputFileId) === null) {
    const message = `Cannot find file ${batch.inputFileId}, or it is not accessible.`;
    return [{ code: 'invalid_request', line: null, message, param: 'file_id' }];
  }
  if (batch.order?.kind === 'fail') return batch.order.findings ?? [unknownFailure()];
  if (inspection.findings.length > 0) return inspection.findings;
  return tokensOverLimit(world, batch, inspection);
}

function tokensOverLimit(
  world: World,
  batch: BatchRecord,
  inspection: Inspection,
): readonly BatchFinding[] {
  const model = inspection.model ?? '';
  const limits = world.settings.limits.enqueuedTokens;
  const limit = limits[model] ?? limits['*'] ?? Number.POSITIVE_INFINITY;
  const isForced = world.faults.strikes('token_limit_exceeded', subjectOf(batch)) !== null;
  const tokens = world.batches.enqueuedTokens(model) + inspection.promptTokens;
  if (!isForced && tokens <= limit) return [];
  const stated = Number.isFinite(limit) ? limit : 2_000_000;
  const message =
    `Enqueued token limit reached for ${model} in organization org-simulator. ` +
    `Limit: ${stated.toLocaleString('en-US')} enqueued tokens. ` +
    'Please try again once some in_progress batches have been completed.';
  return [{ code: 'token_limit_exceeded', line: null, message, param: null }];
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

interface NaturalEnd {
  readonly kind: 'complete' | 'expire' | 'cancel';
  readonly share: number;
}

function naturalEnd(world: World, batch: BatchRecord): NaturalEnd {
  const subject = subjectOf(batch);
  const { seed, flakiness } = world.settings;
  const share = chance(seed, 'share', batch.ordinal);
  const cancelled = world.faults.afflicts('cancelled_partially', batch.id, subject);
  if (cancelled !== null) return { kind: 'cancel', share: cancelled.share ?? share };
  const expired = world.faults.afflicts('expired_partially', batch.id, subject);
  if (expired !== null) return { kind: 'expire', share: expired.share ?? share };
  if (chance(seed, 'expires', batch.ordinal) < flakiness.expiredRate) {
    return { kind: 'expire', share };
  }
  return { kind: 'complete', share: 1 };
}

async function conclude(world: World, batch: BatchRecord, execution: Execution): Promise<void> {
  if (batch.order === null || batch.order.kind === 'complete') {
    await execution.advanceTo(execution.total);
    await finalize(world, batch);
  }
  switch (batch.order?.kind) {
    case 'cancel':
      await execution.publish('batch_cancelled', () => cancelAfterWhile(world, batch));
      return;
    case 'expire':
      await execution.publish('batch_expired', () => {
        batch.expiredAt = world.clock.nowSeconds();
        world.batches.setStatus(batch, 'expired');
      });
      return;
    case 'fail':
      await execution.publish(null, () =>
        fail(world, batch, batch.order?.findings ?? [unknownFailure()]),
      );
      return;
    default:
      await execution.publish(null, () => {
        batch.completedAt = world.clock.nowSeconds();
        world.batches.setStatus(batch, 'completed');
      });
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

async function cancelAfterWhile(world: World, batch: BatchRecord): Promise<void> {
  const lastMs = varied(world, batch, 'cancelling', world.settings.pace.cancelling);
  const dueMs = world.clock.nowMs() + lastMs;
  await world.clock.sleepUntil(dueMs, `${batch.id} cancelling`);
  batch.cancelledAt = world.clock.nowSeconds();
  world.batches.setStatus(batch, 'cancelled');
}

function fail(world: World, batch: BatchRecord, findings: readonly BatchFinding[]): void {
  batch.findings = findings;
  batch.failedAt = world.clock.nowSeconds();
  world.batches.setStatus(batch, 'failed');
}

function unknownFailure(): BatchFinding {
  const message = 'The batch failed for an internal reason.';
  return { code: 'server_error', line: null, message, param: null };
}

/** Waits for the moment, but no longer than until an order comes. */
async function pause(world: World, batch: BatchRecord, dueMs: number): Promise<void> {
  if (batch.order === null) await world.clock.sleepUntil(dueMs, batch.id);
}

/** While the fault holds the batch: until it is switched off, an order comes, or it expires. */
async function holdWhile(world: World, batch: BatchRecord, name: FaultName): Promise<void> {
  const isStuck = (): boolean => world.faults.afflicts(name, batch.id, subjectOf(batch)) !== null;
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
