/**
 * What an upload must be at first sight. As at OpenAI that is little: its lines are read when a
 * batch is made of it.
 */

import { open } from 'node:fs/promises';
import { formFields } from '../contract/openai.ts';
import type { FormRules } from '../multipart.ts';
import { Problem } from '../problem.ts';
import { validated } from '../validate.ts';

const MAX_FILENAME_CHARACTERS = 255;

/** A first line that is longer is judged by its beginning alone. */
const HEAD_BYTES = 64 * 1024;

const NEWLINE = 10;

/** Asked while the form comes in: a client need not send gigabytes to learn of a bad field. */
export const UPLOAD_RULES: FormRules = {
  fileField: 'file',
  checkField(name, value) {
    validated(formFields.partial(), { [name]: value }, 'body');
  },
  checkFile(filename) {
    if (!filename.toLowerCase().endsWith('.jsonl')) throw invalidFormat('its name does not end so');
    if (filename.length <= MAX_FILENAME_CHARACTERS) return;
    const message = `Invalid 'file': its name has more than ${MAX_FILENAME_CHARACTERS} characters.`;
    throw new Problem({ status: 400, code: 'invalid_value', message, param: 'file' });
  },
};

/** Throws a Problem where the file's first line is no JSON object. */
export async function requireJsonLine(path: string): Promise<void> {
  const head = await readHead(path);
  const end = head.indexOf(NEWLINE);
  const line = head.toString('utf8', 0, end < 0 ? head.length : end).replace(/^\uFEFF/, '');
  if (line.trim() === '') return;
  const isCut = end < 0 && head.length === HEAD_BYTES;
  if (isCut ? line.trimStart().startsWith('{') : isObject(line)) return;
  throw invalidFormat('its first line is no JSON object');
}

async function readHead(path: string): Promise<Buffer> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

function isObject(line: string): boolean {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

function invalidFormat(reason: string): Problem {
  const message = `Invalid file format for Batch API. Must be .jsonl: ${reason}.`;
  return new Problem({ status: 400, code: 'invalid_file_format', message, param: 'file' });
}
