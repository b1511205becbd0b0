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
const BYTE_ORDER_MARK = Buffer.from('\uFEFF');
const BLANKS: ReadonlySet<number> = new Set([0x20, 0x09, 0x0d, NEWLINE]);

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

/** Throws a Problem where the file's first line that is not blank is no JSON object. */
export async function requireJsonLine(path: string): Promise<void> {
  const head = await readHead(path);
  if (head.length === 0) throw invalidFormat('it holds blank lines only');
  const end = head.indexOf(NEWLINE);
  const line = head.toString('utf8', 0, end < 0 ? head.length : end);
  const isCut = end < 0 && head.length === HEAD_BYTES;
  if (isCut ? line.startsWith('{') : isObject(line)) return;
  throw invalidFormat('its first line is no JSON object');
}

/** The same error, in OpenAI's words where it has some of its own. */
export function uploadFault(error: unknown): unknown {
  const isEmpty = error instanceof Problem && error.code === 'empty_input';
  return isEmpty ? invalidFormat('it is empty') : error;
}

/** From the first byte that is not blank; empty where there is none. */
async function readHead(path: string): Promise<Buffer> {
  const file = await open(path);
  const read = async (position: number): Promise<Buffer> => {
    const { buffer, bytesRead } = await file.read(
      Buffer.alloc(HEAD_BYTES),
      0,
      HEAD_BYTES,
      position,
    );
    return buffer.subarray(0, bytesRead);
  };
  try {
    let at = (await read(0)).indexOf(BYTE_ORDER_MARK) === 0 ? BYTE_ORDER_MARK.length : 0;
    for (;;) {
      const block = await read(at);
      const first = block.findIndex((byte) => !BLANKS.has(byte));
      if (first >= 0) return await read(at + first);
      if (block.length === 0) return block;
      at += block.length;
    }
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
