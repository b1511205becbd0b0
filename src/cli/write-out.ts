/** Where a command's bytes go: to standard output, or into a file that is whole or not there. */

import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** A reader that has seen enough (`| head`) is no error. */
export async function toStdout(stream: Readable | AsyncIterable<Buffer>): Promise<void> {
  try {
    await pipeline(stream, process.stdout, { end: false });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error;
  }
}

/** Writes beside the path and renames: what was there stays until all is written. */
export async function toFile(
  stream: Readable | AsyncIterable<Buffer>,
  path: string,
): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    await pipeline(stream, createWriteStream(temporary, { flags: 'wx', flush: true }));
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
