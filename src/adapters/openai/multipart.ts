/** The multipart form around an uploaded file: all of it but the file's own bytes. */

import { randomBytes } from 'node:crypto';

export interface Form {
  readonly contentType: string;
  /** What comes before the file's bytes, and after them. */
  readonly head: Buffer;
  readonly tail: Buffer;
}

/** The form with its fields in order and the file, named `file`, as the last one. */
export function createForm(fields: Readonly<Record<string, string>>, filename: string): Form {
  // 128 random bits: they stand in the file's content with no more chance than a guessed key.
  const boundary = `batchwright-${randomBytes(16).toString('hex')}`;
  const texts = Object.entries(fields).map(
    ([name, value]) => `--${boundary}\r\n${disposition(name)}\r\n\r\n${value}\r\n`,
  );
  const file =
    `--${boundary}\r\n${disposition('file')}; filename="${escaped(filename)}"\r\n` +
    'Content-Type: application/octet-stream\r\n\r\n';
  return {
    contentType: `multipart/form-data; boundary=${boundary}`,
    head: Buffer.from(texts.join('') + file),
    tail: Buffer.from(`\r\n--${boundary}--\r\n`),
  };
}

function disposition(name: string): string {
  return `Content-Disposition: form-data; name="${escaped(name)}"`;
}

/** As browsers escape the names of a form. */
function escaped(text: string): string {
  return text.replaceAll('"', '%22').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}
