/** Sends a file's content, whole or as a download fault wants it. */

import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';

import { chance } from '../random.ts';
import type { World } from '../world.ts';
import type { FileRecord } from './shelf.ts';

/** Resolves when the answer has ended, also where it was cut. */
export async function sendContent(
  world: World,
  file: FileRecord,
  response: ServerResponse,
): Promise<void> {
  const subject = `${file.id} ${file.filename}`;
  const strikes = (name: Parameters<typeof world.faults.strikes>[0]): boolean =>
    world.faults.strikes(name, subject) !== null;
  const half = Math.floor(
    file.sizeBytes * (0.2 + 0.6 * chance(world.settings.seed, 'cut', file.ordinal)),
  );
  response.setHeader('Content-Type', 'application/octet-stream');
  if (strikes('download_cut')) return cut(file, half, response, 'reset');
  if (strikes('download_stalls')) return cut(file, half, response, 'stall');
  if (strikes('download_truncated_silently')) return sendPart(file, half, response);
  if (strikes('download_truncated_at_line_end')) {
    return sendPart(file, await lineEndBefore(file.path, half), response);
  }
  if (!strikes('download_without_length')) response.setHeader('Content-Length', file.sizeBytes);
  return sendPart(file, file.sizeBytes, response);
}

async function sendPart(file: FileRecord, size: number, response: ServerResponse): Promise<void> {
  if (size === 0) response.end();
  else await pipeline(createReadStream(file.path, { end: size - 1 }), response);
}

async function cut(
  file: FileRecord,
  size: number,
  response: ServerResponse,
  how: 'reset' | 'stall',
): Promise<void> {
  response.setHeader('Content-Length', file.sizeBytes);
  response.flushHeaders();
  const closed = new Promise<void>((resolve) => response.once('close', () => resolve()));
  if (size > 0) {
    await pipeline(createReadStream(file.path, { end: size - 1 }), response, { end: false });
  }
  if (how === 'reset') response.socket?.destroy();
  await closed;
}

/** The end of the last whole line before the offset, 0 where there is none nearby. */
async function lineEndBefore(path: string, offset: number): Promise<number> {
  const start = Math.max(0, offset - (1 << 20));
  const buffer = Buffer.alloc(offset - start);
  const handle = await open(path, 'r');
  try {
    await handle.read(buffer, 0, buffer.length, start);
  } finally {
    await handle.close();
  }
  return start + buffer.lastIndexOf(10) + 1;
}
