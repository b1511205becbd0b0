/** Reads the body of a create, refuses what the API refuses at once, and adds the batch. */

import { ApiError, invalidValue, missingParameter } from '../http/api-error.ts';
import type { World } from '../world.ts';
import type { BatchRecord } from './record.ts';

const ENDPOINTS = [
  '/v1/responses',
  '/v1/chat/completions',
  '/v1/embeddings',
  '/v1/completions',
  '/v1/moderations',
  '/v1/images/generations',
  '/v1/images/edits',
  '/v1/videos',
];
const WINDOWS = ['24h'];
const MAX_METADATA_PAIRS = 16;

/** The new batch, not yet alive. Throws an ApiError. */
export function createBatch(world: World, body: unknown): BatchRecord {
  const fields = asObject(body);
  const inputFileId = requiredText(fields, 'input_file_id');
  const endpoint = requiredText(fields, 'endpoint');
  const completionWindow = requiredText(fields, 'completion_window');
  oneOf('endpoint', endpoint, ENDPOINTS);
  oneOf('completion_window', completionWindow, WINDOWS);
  const metadata = readMetadata(fields['metadata']);
  const outputExpiresAfterSeconds = readExpiry(fields['output_expires_after']);
  checkInputFile(world, inputFileId);
  checkRate(world);
  const createdAt = world.clock.nowSeconds();
  const batch = world.batches.add({
    endpoint,
    inputFileId,
    inputFilename: world.files.find(inputFileId)?.filename ?? '',
    completionWindow,
    metadata,
    outputExpiresAfterSeconds,
    createdAt,
    expiresAt: createdAt + world.settings.windowSeconds,
  });
  world.ledger.recordBatch(batch);
  return batch;
}

function asObject(body: unknown): Readonly<Record<string, unknown>> {
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) {
    return body as Record<string, unknown>;
  }
  if (body === undefined) return {};
  throw new ApiError({ status: 400, message: 'The body must be a JSON object.' });
}

function requiredText(fields: Readonly<Record<string, unknown>>, name: string): string {
  const value = fields[name];
  if (value === undefined || value === null || value === '') throw missingParameter(name);
  if (typeof value === 'string') return value;
  throw invalidType(name, 'a string');
}

function oneOf(name: string, value: string, allowed: readonly string[]): void {
  if (allowed.includes(value)) return;
  const listed = allowed.map((text) => `'${text}'`).join(', ');
  throw invalidValue(name, `Invalid ${name}: '${value}'. Supported values are: ${listed}.`);
}

function readMetadata(value: unknown): Record<string, string> | null {
  if (value === undefined || value === null) return null;
  if (typeof value !== 'object' || Array.isArray(value)) throw invalidType('metadata', 'an object');
  const pairs = Object.entries(value);
  if (pairs.length > MAX_METADATA_PAIRS) {
    throw invalidValue('metadata', `Invalid 'metadata': at most ${MAX_METADATA_PAIRS} pairs.`);
  }
  for (const [key, text] of pairs as [string, unknown][]) {
    if (typeof text !== 'string') throw invalidType(`metadata.${key}`, 'a string');
    if (key.length > 64 || text.length > 512) {
      throw invalidValue(`metadata.${key}`, 'A key has at most 64 characters, a value 512.');
    }
  }
  return Object.fromEntries(pairs as [string, string][]);
}

function readExpiry(value: unknown): number | null {
  if (value === undefined || value === null) return null;
  const { anchor, seconds } = value as { anchor?: unknown; seconds?: unknown };
  if (anchor !== 'created_at') {
    throw invalidValue('output_expires_after.anchor', "The anchor must be 'created_at'.");
  }
  if (typeof seconds !== 'number' || seconds < 3600 || seconds > 2_592_000) {
    throw invalidValue('output_expires_after.seconds', 'Seconds must be in 3600 … 2592000.');
  }
  return seconds;
}

/** An unknown file is found out while validating; the faults can make it known at once. */
function checkInputFile(world: World, fileId: string): void {
  const file = world.files.find(fileId);
  const name = 'file_not_found_right_after_upload';
  const isRefused =
    file === null
      ? world.faults.strikes('create_400_unknown_file', fileId) !== null
      : world.faults.lingers(name, `file ${file.ordinal}`, `${fileId} ${file.filename}`);
  if (!isRefused) return;
  throw new ApiError({
    status: 400,
    message: `Cannot find file ${fileId}, or the organization does not have access to it.`,
    param: 'file_id',
    code: 'invalid_request',
  });
}

function checkRate(world: World): void {
  const { createsPerHour } = world.settings.limits;
  if (world.batches.createdSince(world.clock.nowSeconds() - 3600) < createsPerHour) return;
  throw new ApiError({
    status: 429,
    message: `Rate limit reached: at most ${createsPerHour} batches can be created in an hour.`,
    type: 'requests',
    code: 'rate_limit_exceeded',
    headers: { 'Retry-After': '60' },
  });
}

function invalidType(param: string, wanted: string): ApiError {
  return new ApiError({
    status: 400,
    message: `Invalid type for '${param}': expected ${wanted}.`,
    param,
    code: 'invalid_type',
  });
}
