/** Checks one scanned request line, and prepares what is inserted for what it leaves out. */

import type { JobId } from '../../domain/ids.ts';
import type { ChunkLimits, RequestDefaults } from '../../domain/plan.ts';
import { isEndpoint } from '../../domain/request.ts';
import type { Endpoint, Rejection } from '../../domain/request.ts';
import { CLOSE_BRACE, OPEN_BRACE, OPEN_BRACKET, QUOTE } from '../../jsonl/json-walker.ts';
import {
  BODY,
  CUSTOM_ID,
  INPUT,
  MESSAGES,
  METHOD,
  MODEL,
  PROMPT,
  STREAM,
  URL_FIELD,
} from '../../jsonl/request-scanner.ts';
import type { RequestScanner } from '../../jsonl/request-scanner.ts';
import * as reasons from './reasons.ts';
import { Splice } from './splice.ts';

const POST = Buffer.from('"POST"');
const EMBEDDINGS: Endpoint = '/v1/embeddings';

/** One object for a whole run: every check overwrites the findings of the one before. */
export class RequestValidator {
  /** The endpoint of the set: the given one, else that of the first line that may be sent. */
  endpoint: Endpoint | null;
  /** Embedding inputs of the checked line; 0 for other endpoints. */
  inputs = 0;
  /** Bytes of the checked line as it is sent, with its newline. */
  sizeBytes = 0;
  readonly splice: Splice;
  readonly #scan: RequestScanner;
  readonly #limits: ChunkLimits;
  readonly #defaultModel: string | null;
  readonly #isStrict: boolean;
  #url: Endpoint | null = null;
  #urlToken: Buffer = Buffer.alloc(0);
  #model: string | null = null;
  #modelToken: Buffer = Buffer.alloc(0);

  constructor(scan: RequestScanner, job: JobId, defaults: RequestDefaults, limits: ChunkLimits) {
    this.#scan = scan;
    this.#limits = limits;
    this.#defaultModel = defaults.model;
    this.#isStrict = defaults.isStrict === true;
    this.endpoint = defaults.endpoint;
    this.splice = new Splice(job, defaults.model);
  }

  /** Why the scanned line cannot be sent; null where it can. `lineBytes` with its newline. */
  check(line: number, lineBytes: number): Rejection | null {
    const scan = this.#scan;
    this.splice.clear();
    if (!scan.isObject) return reasons.NOT_AN_OBJECT;
    if (scan.repeatedKey !== null) return reasons.duplicateKey(scan.repeatedKey);
    const rejection =
      (this.#isStrict ? this.#checkAllNamed() : null) ??
      this.#checkId(line) ??
      this.#checkMethod() ??
      this.#checkUrl() ??
      this.#checkBody() ??
      (this.#isStrict ? this.#checkContent() : null) ??
      this.#checkInput() ??
      this.#checkSize(lineBytes);
    if (rejection === null) this.endpoint = this.#url;
    return rejection;
  }

  /** The scanned line's model, the default one where it names none; null where unreadable. */
  model(): string | null {
    const scan = this.#scan;
    if (!scan.isObject || scan.first[BODY] !== OPEN_BRACE) return null;
    if (scan.first[MODEL] === 0) return this.#defaultModel;
    if (scan.first[MODEL] !== QUOTE) return null;
    if (!scan.isToken(MODEL, this.#modelToken)) {
      this.#modelToken = scan.token(MODEL);
      this.#model = scan.text(MODEL);
    }
    return this.#model === '' ? null : this.#model;
  }

  /** Whether the scanned line has a custom_id that can stand for it. */
  hasId(): boolean {
    const scan = this.#scan;
    if (!scan.isObject || scan.repeatedId || scan.first[CUSTOM_ID] !== QUOTE) return false;
    if (scan.escapes[CUSTOM_ID] === 1) return scan.text(CUSTOM_ID).isWellFormed();
    return (scan.ends[CUSTOM_ID] as number) - (scan.starts[CUSTOM_ID] as number) > 2;
  }

  #checkAllNamed(): Rejection | null {
    const { first } = this.#scan;
    if (first[CUSTOM_ID] === 0) return reasons.missing('missing_custom_id', 'custom_id');
    if (first[METHOD] === 0) return reasons.missing('missing_method', 'method');
    return first[URL_FIELD] === 0 ? reasons.missing('missing_url', 'url') : null;
  }

  #checkId(line: number): Rejection | null {
    if (this.#scan.first[CUSTOM_ID] !== 0) return this.hasId() ? null : reasons.INVALID_CUSTOM_ID;
    this.splice.addCustomId(line);
    return null;
  }

  #checkMethod(): Rejection | null {
    const scan = this.#scan;
    if (scan.first[METHOD] === 0) this.splice.addMethod();
    else if (!scan.isToken(METHOD, POST)) {
      const isPost = scan.first[METHOD] === QUOTE && scan.text(METHOD) === 'POST';
      return isPost ? null : reasons.INVALID_METHOD;
    }
    return null;
  }

  #checkUrl(): Rejection | null {
    const scan = this.#scan;
    if (scan.first[URL_FIELD] === 0) {
      if (this.endpoint === null) return reasons.MISSING_URL;
      this.#url = this.endpoint;
      this.splice.addUrl(this.endpoint);
      return null;
    }
    if (this.endpoint !== null && scan.isToken(URL_FIELD, this.#urlToken)) return null;
    const token = scan.token(URL_FIELD);
    const url = scan.first[URL_FIELD] === QUOTE ? scan.text(URL_FIELD) : token.toString('utf8');
    if (scan.first[URL_FIELD] !== QUOTE || !isEndpoint(url)) return reasons.unknownUrl(url);
    if (this.endpoint !== null && url !== this.endpoint) {
      return reasons.mixedUrl(url, this.endpoint);
    }
    this.#url = url;
    this.#urlToken = token;
    return null;
  }

  #checkBody(): Rejection | null {
    const scan = this.#scan;
    if (scan.first[BODY] === 0) return reasons.MISSING_BODY;
    if (scan.first[BODY] !== OPEN_BRACE) return reasons.INVALID_BODY;
    if (scan.first[MODEL] === 0) {
      if (this.#isStrict) return reasons.missing('missing_model', 'body.model');
      if (this.#defaultModel === null) return reasons.MISSING_MODEL;
      const body = scan.starts[BODY] as number;
      this.splice.addModel(scan.isByte(scan.skipSpace(body + 1), CLOSE_BRACE));
    } else if (this.model() === null) return reasons.INVALID_MODEL;
    return scan.isTrue(STREAM) ? reasons.STREAMING_UNSUPPORTED : null;
  }

  /** What is to be answered; of other kinds of it only a batch's answers tell. */
  #checkContent(): Rejection | null {
    const { first } = this.#scan;
    const has = { input: first[INPUT] !== 0, prompt: first[PROMPT] !== 0 };
    switch (this.#url) {
      case '/v1/chat/completions':
        if (first[MESSAGES] !== 0) return null;
        return reasons.missing('missing_messages', 'body.messages');
      case '/v1/completions':
        return has.prompt ? null : reasons.missing('missing_prompt', 'body.prompt');
      case '/v1/responses':
        // A prompt that is kept at the provider may hold all of it.
        return has.input || has.prompt ? null : reasons.missing('missing_input', 'body.input');
      case '/v1/embeddings':
      case '/v1/moderations':
      case null:
        return has.input ? null : reasons.missing('missing_input', 'body.input');
    }
  }

  #checkInput(): Rejection | null {
    this.inputs = 0;
    if (this.#url !== EMBEDDINGS) return null;
    const first = this.#scan.first[INPUT];
    if (first !== QUOTE && first !== OPEN_BRACKET) return reasons.MISSING_INPUT;
    this.inputs = this.#scan.inputs;
    const { maxInputs } = this.#limits;
    return this.inputs > maxInputs ? reasons.tooManyInputs(this.inputs, maxInputs) : null;
  }

  #checkSize(lineBytes: number): Rejection | null {
    this.sizeBytes = lineBytes + this.splice.length;
    const { maxBytes } = this.#limits;
    return this.sizeBytes > maxBytes ? reasons.requestTooLarge(this.sizeBytes, maxBytes) : null;
  }
}
