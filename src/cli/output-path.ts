/** Where a command may write its result: an ordinary file in a folder that can be written to. */

import { access, constants, realpath, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { Refusal } from '../domain/errors.ts';

/**
 * The absolute path behind what the user named; a link stays, what it points to is written.
 * Refuses folders, devices and pipes, which a rename would replace, and the input itself.
 */
export async function findOutputPath(text: string, input: string | null): Promise<string> {
  if (text === '' || text === '-') {
    const way = 'batchwright result <job> prints a finished result to standard output.';
    throw new Refusal('configuration', `-o takes a file, not "${text}"; ${way}`);
  }
  const path = await realOf(text);
  const found = await stat(path).catch(() => null);
  if (found?.isDirectory() === true) {
    const example = join(text, 'result.jsonl');
    throw new Refusal('configuration', `${text} is a folder: name a file, like ${example}.`);
  }
  if (found !== null && !found.isFile()) {
    throw new Refusal('configuration', `${text} is not an ordinary file: choose another -o.`);
  }
  if (input !== null && (await realOf(input)) === path) {
    throw new Refusal('configuration', 'The output would replace the input: choose another -o.');
  }
  await requireFolder(dirname(path));
  return path;
}

async function realOf(text: string): Promise<string> {
  const path = resolve(text);
  return realpath(path).catch(() => path);
}

async function requireFolder(folder: string): Promise<void> {
  const isFolder = (await stat(folder).catch(() => null))?.isDirectory() ?? false;
  if (!isFolder) {
    throw new Refusal('configuration', `${folder} is not a folder: make it, or change -o.`);
  }
  try {
    await access(folder, constants.W_OK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new Refusal('configuration', `${folder} cannot be written to (${code}): change -o.`);
  }
}
