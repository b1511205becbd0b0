/** The real program within a test: its folders and its processes end with the test. */

import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { promisify } from 'node:util';

import { onTestFinished } from 'vitest';

import { eventually, makePlace, type Place } from './program.ts';

/** A place that goes after the test. `close` is called when its programs are gone. */
export async function openPlace(
  baseUrl: string,
  close: () => Promise<void> = async () => undefined,
): Promise<Place> {
  const place = await makePlace(baseUrl);
  onTestFinished(async () => {
    await place.clear();
    await close();
  });
  return place;
}

/** Replaces the file by a pipe that stops whoever opens it; the file comes back by `restore`. */
export async function trap(path: string): Promise<Trap> {
  const aside = `${path}.aside`;
  await rename(path, aside);
  await promisify(execFile)('mkfifo', [path]);
  return {
    // Opening the writing end fails until a reader has opened the other.
    caught: async () => {
      const handle = await eventually(() => open(path, constants.O_WRONLY | constants.O_NONBLOCK));
      onTestFinished(() => handle.close());
    },
    restore: () => rename(aside, path),
  };
}

export interface Trap {
  /** Resolves when somebody has opened the pipe and waits for bytes. */
  caught(): Promise<void>;
  restore(): Promise<void>;
}
