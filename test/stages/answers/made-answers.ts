/** Makes the local files of a chunk and of its answers, and reads parts back. */

import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  FLAG_ESCAPED_ID,
  FLAG_NO_ID,
  FLAG_REJECTED,
  RECORD_BYTES,
  writeRecord,
} from '../../../src/jsonl/line-index.ts';
import { checkAnswers } from '../../../src/stages/answers/check.ts';
import type { AttemptAnswers } from '../../../src/stages/answers/assess.ts';

export interface MadeLine {
  readonly line: number;
  /** As it stands between the quotes; null: a rejected line without an id. */
  readonly rawId: string | null;
  readonly rejected: boolean;
}

export interface MadeChunk {
  readonly linesPath: string;
  readonly idsPath: string;
  readonly requestsPath: string;
  readonly rejectedPath: string;
}

/** A folder that is gone when the block ends. */
export function temporaryFolder(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), 'batchwright-answers-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true }) };
}

export function sent(line: number, rawId: string): MadeLine {
  return { line, rawId, rejected: false };
}

/** The error line of a rejected line. */
export function rejectedLine(made: MadeLine): string {
  const id = made.rawId === null ? 'null' : `"${made.rawId}"`;
  const error = `{"code":"invalid_method","message":"m","line":${made.line}}`;
  return `{"id":"batchwright-${made.line}","custom_id":${id},"response":null,"error":${error}}\n`;
}

export function requestLine(rawId: string): string {
  return `{"custom_id":"${rawId}","method":"POST","url":"/v1/embeddings","body":{}}\n`;
}

/** Writes lines.idx, ids.bin, requests.jsonl and rejected.jsonl. */
export function makeChunk(folder: string, lines: readonly MadeLine[], name = 'chunk'): MadeChunk {
  const records = Buffer.alloc(lines.length * RECORD_BYTES);
  const texts = { ids: [''], requests: [''], rejected: [''] };
  const sizes = { ids: 0, requests: 0, rejected: 0 };
  const append = (to: keyof typeof texts, text: string): { offset: number; length: number } => {
    const place = { offset: sizes[to], length: Buffer.byteLength(text) };
    texts[to].push(text);
    sizes[to] += place.length;
    return place;
  };
  for (const [index, made] of lines.entries()) {
    const rawId = made.rawId ?? '';
    const id = append('ids', rawId);
    const place = made.rejected
      ? append('rejected', rejectedLine(made))
      : append('requests', requestLine(rawId));
    writeRecord(records, index, {
      line: made.line,
      flags:
        (made.rejected ? FLAG_REJECTED : 0) |
        (rawId.includes('\\') ? FLAG_ESCAPED_ID : 0) |
        (made.rawId === null ? FLAG_NO_ID : 0),
      ...place,
      idOffset: id.offset,
      idLength: id.length,
    });
  }
  const made = {
    linesPath: join(folder, `${name}.lines.idx`),
    idsPath: join(folder, `${name}.ids.bin`),
    requestsPath: join(folder, `${name}.requests.jsonl`),
    rejectedPath: join(folder, `${name}.rejected.jsonl`),
  };
  writeFileSync(made.linesPath, records);
  writeFileSync(made.idsPath, texts.ids.join(''));
  writeFileSync(made.requestsPath, texts.requests.join(''));
  writeFileSync(made.rejectedPath, texts.rejected.join(''));
  return made;
}

/** Stores the files of an attempt and checks them. */
export function makeAttempt(
  folder: string,
  attempt: number,
  output: string | Buffer | null,
  errors: string | Buffer | null = null,
): AttemptAnswers {
  const store = (name: string, content: string | Buffer | null): string | null => {
    if (content === null) return null;
    const path = join(folder, `${attempt}.${name}.jsonl`);
    writeFileSync(path, content);
    return path;
  };
  const outputPath = store('output', output);
  const errorPath = store('errors', errors);
  const indexPath = join(folder, `${attempt}.answers.idx`);
  checkAnswers({ outputPath, errorPath, indexPath });
  return { kind: 'answers', attempt, outputPath, errorPath, indexPath };
}

export function successLine(rawId: string, answer: unknown = rawId): string {
  const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 };
  const body = JSON.stringify({ model: 'gpt-4o-mini', answer, usage });
  const response = `{"status_code":200,"request_id":"r","body":${body}}`;
  return `{"id":"batch_req_1","custom_id":"${rawId}","response":${response},"error":null}\n`;
}

export function httpErrorLine(rawId: string, status: number, code: string): string {
  const body = `{"error":{"message":"no","type":"t","param":null,"code":"${code}"}}`;
  const response = `{"status_code":${status},"request_id":"r","body":${body}}`;
  return `{"id":"batch_req_2","custom_id":"${rawId}","response":${response},"error":null}\n`;
}

export function expiredLine(rawId: string): string {
  const error = '{"code":"batch_expired","message":"This request could not be executed."}';
  return `{"id":"batch_req_3","custom_id":"${rawId}","response":null,"error":${error}}\n`;
}

/** The lines of a file, each with its newline. */
export function linesOf(path: string): string[] {
  const text = readFileSync(path, 'utf8');
  return text === '' ? [] : text.split(/(?<=\n)/);
}

export function sha256Of(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
