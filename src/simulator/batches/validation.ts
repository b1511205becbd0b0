/** Validates a batch's input file: what is wrong with it, or where its requests stand. */

import type { FileHandle } from 'node:fs/promises';

import type { World } from '../world.ts';
import { inputsOf, isProblem, type Problem, readRequest } from './check-request.ts';
import { memberBytes } from './json-span.ts';
import { eachLine, type LineSpan, LineTable } from './lines.ts';
import type { BatchFinding } from './record.ts';

export interface Inspection {
  readonly findings: readonly BatchFinding[];
  readonly lines: LineTable;
  /** Of the first request that names one. */
  readonly model: string | null;
  readonly promptTokens: number;
}

/** Bytes of a request's body that count as one prompt token. */
export const BYTES_PER_TOKEN = 4;

/** Reads the whole file once. */
export async function inspectInput(
  world: World,
  file: FileHandle,
  endpoint: string,
): Promise<Inspection> {
  const inspector = new Inspector(world, endpoint);
  await eachLine(file, (line, span) => inspector.take(line, span));
  return inspector.conclude();
}

class Inspector {
  readonly #world: World;
  readonly #endpoint: string;
  readonly #findings: BatchFinding[] = [];
  readonly #lines = new LineTable();
  readonly #ids = new Set<string>();
  #number = 0;
  #model: string | null = null;
  #promptBytes = 0;
  #inputs = 0;

  constructor(world: World, endpoint: string) {
    this.#world = world;
    this.#endpoint = endpoint;
  }

  take(line: Buffer, span: LineSpan): void {
    this.#number++;
    const problem = this.#check(line);
    if (problem !== null) this.#find({ ...problem, line: this.#number });
    else this.#lines.add(span);
  }

  conclude(): Inspection {
    const { maxRequests, maxInputs } = this.#world.settings.limits;
    if (this.#number === 0) this.#find(about('empty_batch', 'The batch has no requests.'));
    if (this.#number > maxRequests) {
      const message = `The batch has ${this.#number} requests; at most ${maxRequests} are allowed.`;
      this.#find(about('too_many_tasks', message));
    }
    if (this.#endpoint === '/v1/embeddings' && this.#inputs > maxInputs) {
      const message = `The batch has ${this.#inputs} inputs; at most ${maxInputs} are allowed.`;
      this.#find({ ...about('invalid_request', message), param: 'body.input' });
    }
    return {
      findings: this.#findings,
      lines: this.#lines,
      model: this.#model,
      promptTokens: Math.ceil(this.#promptBytes / BYTES_PER_TOKEN),
    };
  }

  #check(line: Buffer): Problem | null {
    const request = readRequest(line, this.#endpoint);
    if (isProblem(request)) return request;
    if (this.#world.faults.strikes('line_refused', request.customId) !== null) {
      return { code: 'invalid_request', param: 'body', message: 'This request is not allowed.' };
    }
    const { models } = this.#world.settings;
    if (models !== null && !models.includes(request.model)) {
      const message = `The provided model '${request.model}' is not supported by the Batch API.`;
      return { code: 'model_not_found', param: 'body.model', message };
    }
    this.#model ??= request.model;
    if (request.model !== this.#model) {
      const message = `The model '${request.model}' differs from '${this.#model}' of the batch.`;
      return { code: 'mismatched_model', param: 'body.model', message };
    }
    if (this.#ids.has(request.customId)) {
      const message = `The custom_id '${request.customId}' stands twice in the batch.`;
      return { code: 'duplicate_custom_id', param: 'custom_id', message };
    }
    this.#ids.add(request.customId);
    this.#promptBytes += memberBytes(line, 'body')?.length ?? 0;
    this.#inputs += inputsOf(request.body);
    return null;
  }

  #find(finding: BatchFinding): void {
    if (this.#findings.length < this.#world.settings.limits.listedErrors) {
      this.#findings.push(finding);
    }
  }
}

function about(code: string, message: string): BatchFinding {
  return { code, line: null, message, param: null };
}
