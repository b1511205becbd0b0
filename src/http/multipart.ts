/**
 * Takes the form of an upload as it streams in: its file goes to the disk, whatever its size, and
 * its fields may stand before or behind it.
 */

import type { FileHandle } from 'node:fs/promises';
import { open, unlink } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import type { Busboy, FileInfo } from 'busboy';
import busboy from 'busboy';
import { BodySink, requireRoom } from './body-sink.ts';
import { ClientWatch } from './client-watch.ts';
import type { IntakeLimits } from './intake.ts';
import { Problem, problemOf } from './problem.ts';

/** What a form may hold. Its checks throw Problems; they are asked while the form comes in. */
export interface FormRules {
  /** The name of the part that is the file. */
  readonly fileField: string;
  readonly checkField: (name: string, value: string) => void;
  /** `filename`: as the client sent it, without folders. */
  readonly checkFile: (filename: string) => void;
}

export interface TakenForm {
  readonly fields: Readonly<Record<string, string>>;
  readonly filename: string;
  readonly path: string;
  readonly sizeBytes: number;
}

/** With 64 KiB, node's own, the parts' streams and not the disk were the bound. */
const BLOCK_BYTES = 1024 * 1024;

const MAX_FIELD_BYTES = 1_000;
const MAX_NAME_BYTES = 100;
const MAX_FIELDS = 16;
const MAX_PARTS = 32;

/** RFC 2046 allows 70 characters. */
const MAX_BOUNDARY_CHARACTERS = 70;

/** Parts whose bytes are not what they stand for would have to be decoded. */
const PLAIN_ENCODINGS: ReadonlySet<string> = new Set(['7bit', '8bit', 'binary']);

/**
 * Writes the form's file to a new one in `folder`; flushing it and removing the folder are the
 * caller's. Rejects with a `Problem`, and leaves no file, where the form cannot be taken; a client
 * that went away is one (499) that nobody reads.
 */
export async function takeForm(
  request: IncomingMessage,
  folder: string,
  limits: IntakeLimits,
  rules: FormRules,
): Promise<TakenForm> {
  const path = join(folder, 'body');
  try {
    await requireRoom(Number(request.headers['content-length'] ?? 0), limits);
    const handle = await open(path, 'wx+');
    try {
      return { ...(await receive(request, handle, limits, rules)), path };
    } finally {
      await handle.close();
    }
  } catch (error) {
    await unlink(path).catch(() => undefined);
    throw problemOf(error);
  }
}

async function receive(
  request: IncomingMessage,
  handle: FileHandle,
  limits: IntakeLimits,
  rules: FormRules,
): Promise<Omit<TakenForm, 'path'>> {
  const parser = parserFor(request);
  const outcome = Promise.withResolvers<void>();
  const fail = (error: unknown): void => outcome.reject(error);
  const sink = new BodySink(handle, limits);
  const form = new Form(parser, sink, rules, fail);
  form.whenWhole(outcome.resolve);
  const watch = new ClientWatch(request, limits.idleMs, fail);
  request.pipe(parser);
  try {
    await outcome.promise;
    const { fields, filename } = form;
    return { fields: Object.fromEntries(fields), filename, sizeBytes: sink.sizeBytes };
  } finally {
    watch.stop();
    // Not the request itself: its connection still has to carry the answer.
    request.unpipe();
    parser.destroy();
    sink.destroy();
  }
}

/** What has come of a form so far. */
class Form {
  readonly fields = new Map<string, string>();
  filename = '';
  readonly #parser: Busboy;
  readonly #sink: Writable;
  readonly #rules: FormRules;
  readonly #fail: (error: unknown) => void;

  constructor(parser: Busboy, sink: Writable, rules: FormRules, fail: (error: unknown) => void) {
    this.#parser = parser;
    this.#sink = sink;
    this.#rules = rules;
    this.#fail = fail;
    const broken = (error: unknown): void => fail(malformed(reasonOf(error)));
    const tooMany = (): void => fail(malformed('it has more parts than an upload needs'));
    parser
      .on('field', (name: string | undefined, value, info) => {
        const isCut = info.valueTruncated || info.nameTruncated;
        this.#checked(() => this.#takeField(name ?? '', value, isCut));
      })
      .on('file', (name: string | undefined, content, info) => {
        content.on('error', broken);
        this.#checked(() => this.#takeFile(name ?? '', content, info));
      })
      .on('filesLimit', () => fail(malformed('it has more than one file')))
      .on('fieldsLimit', tooMany)
      .on('partsLimit', tooMany)
      .on('error', broken);
    sink.on('error', fail);
  }

  /** Calls back once the form has ended and its file is written. */
  whenWhole(done: () => void): void {
    const { fileField } = this.#rules;
    this.#parser.once('finish', () => {
      if (this.filename === '') this.#fail(missing(fileField));
      else if (this.#sink.writableFinished) done();
      else this.#sink.once('finish', done);
    });
  }

  #checked(take: () => void): void {
    try {
      take();
    } catch (error) {
      this.#fail(error);
    }
  }

  #takeField(name: string, value: string, isCut: boolean): void {
    const shown = name.slice(0, MAX_NAME_BYTES);
    if (isCut || shown !== name) throw malformed(`the field '${shown}' is too long`);
    if (name === this.#rules.fileField) {
      throw fault('invalid_type', `'${name}' must be a file, with a filename.`, name);
    }
    if (this.fields.has(name)) throw malformed(`the field '${name}' stands there twice`);
    this.#rules.checkField(name, value);
    this.fields.set(name, value);
  }

  #takeFile(name: string, content: Readable, { filename, encoding }: FileInfo): void {
    const { fileField, checkFile } = this.#rules;
    const shown = name.slice(0, MAX_NAME_BYTES);
    if (name !== fileField) {
      throw fault('unknown_parameter', `Unknown parameter: '${shown}'.`, shown);
    }
    if (!PLAIN_ENCODINGS.has(encoding)) throw malformed('its file is encoded; send its bytes');
    if (filename === undefined || filename === '') {
      throw fault('invalid_value', `'${name}' must have a filename.`, name);
    }
    checkFile(filename);
    this.filename = filename;
    content.pipe(this.#sink);
  }
}

/** Throws a `Problem` where the request is no form. */
function parserFor(request: IncomingMessage): Busboy {
  const { 'content-encoding': encoding = 'identity', 'content-type': type = '' } = request.headers;
  if (encoding.trim().toLowerCase() !== 'identity') {
    const message = 'A form is taken as it is, without a Content-Encoding.';
    throw new Problem({ status: 415, code: 'unsupported_encoding', message });
  }
  const boundary = /;\s*boundary=(?:"([^"]*)"|([^\s;]*))/i.exec(type);
  const characters = (boundary?.[1] ?? boundary?.[2] ?? '').length;
  if (characters === 0 || characters > MAX_BOUNDARY_CHARACTERS) {
    throw malformed('its Content-Type has no usable boundary');
  }
  try {
    return busboy({
      headers: request.headers,
      highWaterMark: BLOCK_BYTES,
      fileHwm: BLOCK_BYTES,
      defParamCharset: 'utf8',
      limits: { files: 1, fields: MAX_FIELDS, parts: MAX_PARTS, fieldSize: MAX_FIELD_BYTES },
    });
  } catch {
    throw malformed('its Content-Type is not that of a form');
  }
}

function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : '';
  return text.startsWith('Unexpected end')
    ? 'it ends before its last boundary'
    : 'a part is broken';
}

function malformed(reason: string): Problem {
  return fault('invalid_form', `The form cannot be taken: ${reason}.`, null);
}

function missing(name: string): Problem {
  return fault('missing_required_parameter', `Missing required parameter: '${name}'.`, name);
}

function fault(code: string, message: string, param: string | null): Problem {
  return new Problem({ status: 400, code, message, param });
}
