/** One job under outages: its input, its world, its program, and what must be true afterwards. */

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { unpaidOrTwice } from '../support/paid-once.ts';
import { makePlace, type OwnedPlace, type Running } from '../support/program.ts';

export interface JobSize {
  readonly lines: number;
  readonly requestsPerChunk: number;
  readonly liveBatches: number;
  readonly seed: number;
  /** How long a batch is in progress, in real milliseconds; each is varied by up to half. */
  readonly batchMs: number;
}

/** Virtual seconds in a real one. */
const TIME_FACTOR = 3_600;
const LINES_AT_ONCE = 5_000;

export class OutageJob {
  readonly size: JobSize;
  readonly place: OwnedPlace;
  readonly simulator: Simulator;

  private constructor(size: JobSize, place: OwnedPlace, simulator: Simulator) {
    this.size = size;
    this.place = place;
    this.simulator = simulator;
  }

  static async prepare(size: JobSize, env: NodeJS.ProcessEnv): Promise<OutageJob> {
    const inProgress = (size.batchMs / 1_000) * TIME_FACTOR;
    const pace = { validating: inProgress / 10, inProgress, perRequest: 0, finalizing: 20 };
    const simulator = await startSimulator({
      seed: size.seed,
      timeFactor: TIME_FACTOR,
      pace,
      limits: { createsPerHour: 1_000_000 },
    });
    const place = await makePlace(simulator.url, env);
    await writeInput(place.inputPath, size.lines);
    return new OutageJob(size, place, simulator);
  }

  /** Starts the program, or starts it again: the same command goes on with the same job. */
  start(): Running {
    const { requestsPerChunk, liveBatches } = this.size;
    const chunks = ['--max-requests', String(requestsPerChunk)];
    const live = ['--max-live-batches', String(liveBatches)];
    return this.place.start(this.place.runArgs('--yes', ...chunks, ...live));
  }

  get chunks(): number {
    return Math.ceil(this.size.lines / this.size.requestsPerChunk);
  }

  /** The share of the job's chunks whose batch has been created. */
  progress(): number {
    return this.simulator.controls.batches().length / this.chunks;
  }

  /**
   * Resolves when bells are answered again: more looks at batches begin from now on than could
   * belong to bells that were taken before.
   */
  async bellsAnswered(deadlineMs: number): Promise<void> {
    const { controls } = this.simulator;
    let after = controls.eventCount();
    for (let looks = 0; looks <= this.size.liveBatches; looks += 1) {
      const isLook = ({ operation }: { operation: string }) =>
        operation === 'retrieve' || operation === 'list';
      await controls.until('call_started', isLook, { after, deadlineMs });
      after = controls.eventCount();
    }
  }

  /** Sentences about what is wrong after the program's end; empty where all is well. */
  async faults(): Promise<string[]> {
    const wrong = unpaidOrTwice(this.simulator, this.size.lines);
    wrong.push(...(await disorder(this.place.outputPath, this.size.lines)));
    const files = this.simulator.controls.files();
    if (files.length > 0) wrong.push(`${files.length} files are left at the provider`);
    const scratch = await readdir(join(this.place.dataDir, 'scratch'));
    if (scratch.length > 0) wrong.push(`the scratch holds ${scratch.join()}`);
    const status = (await this.place.states()).get('job')?.status;
    if (status !== 'done') wrong.push(`the job is ${status}`);
    return wrong;
  }

  /** sha256 of the result, read as a stream. */
  async resultSha256(): Promise<string> {
    const hash = createHash('sha256');
    for await (const block of createReadStream(this.place.outputPath)) hash.update(block);
    return hash.digest('hex');
  }

  async clear(): Promise<void> {
    await this.place.clear();
    await this.simulator.close();
  }
}

/** The sha256 of the same job's result where nothing disturbs it, in a world of its own. */
export async function undisturbedSha256(size: JobSize): Promise<string> {
  const job = await OutageJob.prepare({ ...size, batchMs: 100 }, {});
  try {
    const ended = await job.start().ended;
    const wrong = ended.code === 0 ? await job.faults() : [`it ended with ${ended.code}`];
    if (wrong.length > 0) {
      throw new Error(`the undisturbed run failed: ${wrong.join('; ')}\n${ended.stderr}`);
    }
    return await job.resultSha256();
  } finally {
    await job.clear();
  }
}

function idOf(line: number): string {
  return `r-${line}`;
}

async function writeInput(path: string, lines: number): Promise<void> {
  const file = createWriteStream(path);
  for (let from = 1; from <= lines; from += LINES_AT_ONCE) {
    const count = Math.min(LINES_AT_ONCE, lines - from + 1);
    const text = Array.from({ length: count }, (_, index) => requestLine(from + index)).join('');
    if (!file.write(text)) await once(file, 'drain');
  }
  file.end();
  await once(file, 'close');
}

function requestLine(line: number): string {
  const body = `{"model":"gpt-4o-mini","messages":[{"role":"user","content":"${line}"}]}`;
  const head = `"custom_id":"${idOf(line)}","method":"POST","url":"/v1/chat/completions"`;
  return `{${head},"body":${body}}\n`;
}

/** Whether each request has its one success in its place, without a trust in any manifest. */
async function disorder(path: string, lines: number): Promise<string[]> {
  let line = 0;
  const wrong: string[] = [];
  for await (const text of linesOf(path)) {
    line += 1;
    const answer = JSON.parse(text) as { custom_id: string; response: { status_code: number } };
    if (answer.custom_id === idOf(line) && answer.response?.status_code === 200) continue;
    if (wrong.length < 10) wrong.push(`line ${line} answers ${answer.custom_id}`);
  }
  return line === lines ? wrong : [...wrong, `${line} answers to ${lines} requests`];
}

/** The lines of a file. (node:readline would end lines at U+2028 too.) */
async function* linesOf(path: string): AsyncGenerator<string> {
  let rest = '';
  for await (const text of createReadStream(path, 'utf8')) {
    const lines = (rest + String(text)).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  if (rest !== '') yield rest;
}
