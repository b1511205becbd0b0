/** Where a command may write its result: an ordinary file in a folder that can be written to. */

import { access, constants, readlink, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { Refusal } from '../domain/errors.ts';
import { manifestPath } from './deliver.ts';

/** Links to links to … that are followed where the last one points to nothing yet. */
const MAX_LINKS = 40;

/** What file systems allow for one name. */
const MAX_NAME_BYTES = 255;

/** Behind a name while it is written: host, process, random, `.tmp`. */
const UNFINISHED_BYTES = 36;

/**
 * The absolute path behind what the user named; a link stays, what it points to is written. A
 * file that is there is replaced when the result is complete, unless it is read-only.
 * Refuses folders, devices and pipes, which a rename would replace, and the input itself: all
 * that would fail when everything is paid for fails here.
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
  if (found !== null) await requireWritable(path);
  await requireManifest(manifestPath(path));
  return path;
}

async function realOf(text: string): Promise<string> {
  const path = resolve(text);
  return realpath(path).catch(() => beyondLinks(path));
}

/** Where a link to nothing leads: there the file is made, as `>` of a shell does. */
async function beyondLinks(path: string): Promise<string> {
  let real = path;
  for (let links = 0; links < MAX_LINKS; links += 1) {
    const folder = await realpath(dirname(real)).catch(() => dirname(real));
    real = join(folder, basename(real));
    const target = await readlink(real).catch(() => null);
    if (target === null) return real;
    real = resolve(folder, target);
  }
  throw new Refusal('configuration', `${path} is a link without an end: choose another -o.`);
}

/** It could be replaced all the same, but who protects a file means it. */
async function requireWritable(path: string): Promise<void> {
  try {
    await access(path, constants.W_OK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new Refusal('configuration', `${path} cannot be replaced (${code}): change -o.`);
  }
}

async function requireManifest(path: string): Promise<void> {
  const longest = Buffer.byteLength(basename(path)) + UNFINISHED_BYTES;
  if (longest > MAX_NAME_BYTES) {
    const most = MAX_NAME_BYTES - UNFINISHED_BYTES - Buffer.byteLength(manifestPath(''));
    throw new Refusal('configuration', `The name after -o is too long: at most ${most} bytes.`);
  }
  const found = await stat(path).catch(() => null);
  if (found === null) return;
  if (!found.isFile()) {
    const why = 'is not a file, and the manifest goes there';
    throw new Refusal('configuration', `${path} ${why}: choose another -o.`);
  }
  await requireWritable(path);
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
