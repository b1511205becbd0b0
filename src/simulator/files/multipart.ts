/**
 * Reads multipart/form-data from a stream: parts are handed on while they arrive, so memory does
 * not depend on their size.
 */

import { ApiError } from '../http/api-error.ts';

export interface PartHead {
  readonly name: string;
  /** Null: a plain field. */
  readonly filename: string | null;
}

/** Takes a part's content; chunks are valid only until `write` resolves. */
export interface PartSink {
  write(chunk: Buffer): Promise<void> | void;
  end(): Promise<void> | void;
}

const MAX_HEAD_BYTES = 16_384;

/** Reads to the end of the source. Throws an ApiError where it is not well-formed. */
export async function readMultipart(
  source: AsyncIterable<Buffer>,
  boundary: string,
  openPart: (head: PartHead) => PartSink | Promise<PartSink>,
): Promise<void> {
  const reader = new MultipartReader(boundary, openPart);
  for await (const chunk of source) await reader.push(chunk);
  reader.finish();
}

/** The boundary from a Content-Type, or null where it is not multipart/form-data. */
export function boundaryOf(contentType: string | undefined): string | null {
  if (contentType === undefined || !/^multipart\/form-data\b/i.test(contentType)) return null;
  const match = /;\s*boundary=(?:"([^"]+)"|([^\s;]+))/i.exec(contentType);
  return match?.[1] ?? match?.[2] ?? null;
}

class MultipartReader {
  readonly #delimiter: Buffer;
  readonly #openPart: (head: PartHead) => PartSink | Promise<PartSink>;
  // The first boundary has no line break before it: lend it one.
  #rest: Buffer = Buffer.from('\r\n');
  #place: 'preamble' | 'delimiter' | 'head' | 'content' | 'epilogue' = 'preamble';
  #sink: PartSink | null = null;

  constructor(boundary: string, openPart: (head: PartHead) => PartSink | Promise<PartSink>) {
    this.#delimiter = Buffer.from(`\r\n--${boundary}`);
    this.#openPart = openPart;
  }

  async push(chunk: Buffer): Promise<void> {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    while (await this.#step());
  }

  finish(): void {
    if (this.#place !== 'epilogue') throw malformed('it ends before its last boundary');
  }

  /** Takes what it can from the rest; false where more bytes are needed. */
  async #step(): Promise<boolean> {
    if (this.#place === 'delimiter') return this.#afterDelimiter();
    if (this.#place === 'head') return this.#head();
    if (this.#place === 'epilogue') {
      this.#rest = Buffer.alloc(0);
      return false;
    }
    return this.#content();
  }

  /** The preamble is a content that nobody takes. */
  async #content(): Promise<boolean> {
    const found = this.#rest.indexOf(this.#delimiter);
    const end = found >= 0 ? found : Math.max(0, this.#rest.length - this.#delimiter.length + 1);
    if (end > 0) await this.#sink?.write(this.#rest.subarray(0, end));
    if (found < 0) {
      this.#rest = this.#rest.subarray(end);
      return false;
    }
    await this.#sink?.end();
    this.#sink = null;
    this.#rest = this.#rest.subarray(found + this.#delimiter.length);
    this.#place = 'delimiter';
    return true;
  }

  #afterDelimiter(): boolean {
    if (this.#rest.length < 2) return false;
    const mark = this.#rest.toString('latin1', 0, 2);
    if (mark !== '--' && mark !== '\r\n') throw malformed('a boundary is not followed by CRLF');
    this.#place = mark === '--' ? 'epilogue' : 'head';
    this.#rest = this.#rest.subarray(2);
    return true;
  }

  async #head(): Promise<boolean> {
    const end = this.#rest.indexOf('\r\n\r\n');
    if (end < 0) {
      if (this.#rest.length > MAX_HEAD_BYTES) throw malformed('the head of a part is too long');
      return false;
    }
    this.#sink = await this.#openPart(parseHead(this.#rest.toString('utf8', 0, end)));
    this.#place = 'content';
    this.#rest = this.#rest.subarray(end + 4);
    return true;
  }
}

function parseHead(text: string): PartHead {
  const disposition = text
    .split('\r\n')
    .find((header) => /^content-disposition:\s*form-data\b/i.test(header));
  const name = parameter(disposition ?? '', 'name');
  if (name === null) throw malformed('a part has no name');
  return { name, filename: parameter(disposition ?? '', 'filename') };
}

function parameter(header: string, name: string): string | null {
  const match = new RegExp(`;\\s*${name}=(?:"((?:[^"\\\\]|\\\\.)*)"|([^\\s;]+))`, 'i').exec(header);
  const text = match?.[1] ?? match?.[2];
  if (text === undefined) return null;
  return text.replaceAll(/\\(["\\])/g, '$1').replaceAll('%22', '"');
}

function malformed(reason: string): ApiError {
  return new ApiError({
    status: 400,
    message: `Could not parse multipart form: ${reason}.`,
  });
}
