/** The faults of single answer lines: where a line goes, how often, and in which shape. */

import { hexOf } from '../random.ts';
import type { LINE_FAULTS } from '../faults/names.ts';
import type { World } from '../world.ts';
import type { BatchRecord } from './record.ts';

/** An offset within the value of `id`, where a wrong byte breaks nothing but the encoding. */
const INSIDE_LINE_ID = 20;

export interface SpoiltLines {
  /** Whether the request's own answer can be read. */
  readonly isDelivered: boolean;
  readonly output: readonly Buffer[];
  readonly errors: readonly Buffer[];
}

/** What the files get for one answer line; `line` ends with a newline. */
export function spoil(
  world: World,
  batch: BatchRecord,
  customId: string,
  line: Buffer,
  isFailure: boolean,
): SpoiltLines {
  const key = `${batch.ordinal} ${customId}`;
  const struck = (name: keyof typeof LINE_FAULTS): boolean =>
    world.faults.strikes(name, customId, key) !== null;
  const own = damaged(line, customId, struck);
  const lines = own === null ? [] : [own.line];
  if (struck('line_duplicate')) lines.push(...lines);
  if (struck('line_stranger')) lines.push(stranger(line, customId));
  const conflicts = !isFailure && struck('line_conflict') ? [conflict(customId)] : [];
  return {
    isDelivered: own !== null && own.isReadable,
    output: isFailure ? [] : lines,
    errors: isFailure ? lines : conflicts,
  };
}

/** Null: the line is missing. */
function damaged(
  line: Buffer,
  customId: string,
  struck: (name: keyof typeof LINE_FAULTS) => boolean,
): { line: Buffer; isReadable: boolean } | null {
  if (struck('line_missing')) return null;
  if (struck('line_unparsable')) {
    const half = line.subarray(0, Math.floor(line.length / 2));
    return { line: Buffer.concat([half, Buffer.from('\n')]), isReadable: false };
  }
  if (struck('line_bad_utf8')) {
    const bad = Buffer.from(line);
    bad.writeUInt16BE(0xc3_28, INSIDE_LINE_ID);
    return { line: bad, isReadable: false };
  }
  if (struck('line_status_0')) {
    const response = { status_code: 0, request_id: '', body: {} };
    const value = { ...(parse(line) as object), response };
    return { line: toLine(value), isReadable: false };
  }
  if (struck('line_id_escaped')) {
    const text = line.toString('utf8');
    const escaped = text.replace(JSON.stringify(customId), () => escape(customId));
    return { line: Buffer.from(escaped), isReadable: true };
  }
  return { line, isReadable: true };
}

function stranger(line: Buffer, customId: string): Buffer {
  const id = `stranger-${hexOf(12, customId)}`;
  return toLine({ ...(parse(line) as object), custom_id: id });
}

function conflict(customId: string): Buffer {
  const error = { message: 'Conflicting answer.', type: 'server_error', param: null, code: null };
  return toLine({
    id: `batch_req_${hexOf(32, 'conflict', customId)}`,
    custom_id: customId,
    response: { status_code: 500, request_id: '', body: { error } },
    error: null,
  });
}

function escape(text: string): string {
  const units = Array.from({ length: text.length }, (_, index) =>
    text.charCodeAt(index).toString(16).padStart(4, '0'),
  );
  return `"${units.map((unit) => `\\u${unit}`).join('')}"`;
}

function parse(line: Buffer): unknown {
  return JSON.parse(line.toString('utf8'));
}

function toLine(value: unknown): Buffer {
  return Buffer.from(`${JSON.stringify(value)}\n`);
}
