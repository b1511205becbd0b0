/** One service and worker processes over one data directory, each of them the real program. */

import { type Simulator } from '../../src/simulator/simulator.ts';
import { freePort } from '../outages/own-redis.ts';
import { eventually, type Place, type Running } from './program.ts';

/** What tests look at in a job as the service shows it. */
export interface ShownJob {
  readonly id: string;
  readonly status: string;
  readonly counts: { readonly total: number; readonly succeeded: number; readonly failed: number };
  readonly chunks: {
    readonly total: number | null;
    readonly by_phase: Readonly<Record<string, number>>;
  };
  readonly result: { readonly sha256: string; readonly lines: number } | null;
}

/** A stopped process takes connections and answers nothing. */
const ANSWER_MS = 5_000;

const OVER = ['completed', 'completed_with_errors', 'cancelled', 'failed'];

export interface FleetScene {
  readonly place: Place;
  readonly simulator: Simulator;
}

export class Fleet {
  readonly place: Place;
  readonly simulator: Simulator;
  readonly url: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #headers: Readonly<Record<string, string>>;

  private constructor(scene: FleetScene, port: number, env: NodeJS.ProcessEnv, key: string) {
    this.place = scene.place;
    this.simulator = scene.simulator;
    this.url = `http://127.0.0.1:${port}`;
    this.#env = { ...env, BATCHWRIGHT_PORT: String(port) };
    this.#headers = { authorization: `Bearer ${key}` };
  }

  /** Nothing runs yet. `env` is what all processes are told; without REDIS_URL they share one. */
  static async in(scene: FleetScene, env: NodeJS.ProcessEnv = {}): Promise<Fleet> {
    return new Fleet(scene, await freePort(), env, 'any');
  }

  /** The service runs already, on this port. */
  static at(scene: FleetScene, port: number, key: string): Fleet {
    return new Fleet(scene, port, {}, key);
  }

  /** `serve --workers none`; resolves when it listens. */
  async startService(): Promise<Running> {
    const service = this.place.start(['serve', '--workers', 'none'], this.#env);
    await service.says(/listens at/);
    return service;
  }

  /** `worker`, with these arguments; resolves when it works. */
  async startWorker(args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Promise<Running> {
    const worker = this.place.start(['worker', ...args], { ...this.#env, ...env });
    await worker.says(/worker for/);
    return worker;
  }

  /** Submits a request set; resolves to the job's id. */
  async submit(input: string, query = ''): Promise<string> {
    const response = await fetch(`${this.url}/v1/jobs${query}`, {
      method: 'POST',
      headers: { ...this.#headers, 'content-type': 'application/jsonl' },
      body: input,
    });
    if (response.status !== 202) throw new Error(`${response.status}: ${await response.text()}`);
    const { id } = (await response.json()) as ShownJob;
    return id;
  }

  async look(job: string): Promise<ShownJob> {
    return (await (await this.#get(`/v1/jobs/${job}`)).json()) as ShownJob;
  }

  /** Resolves when the job is over and its result is there, whatever dies meanwhile. */
  untilOver(job: string): Promise<ShownJob> {
    return eventually(async () => {
      const shown = await this.look(job);
      if (!OVER.includes(shown.status) || shown.result === null) {
        throw new Error(`the job is ${JSON.stringify(shown, null, 2)}`);
      }
      return shown;
    });
  }

  /** The bytes of the result, over HTTP. */
  async result(job: string): Promise<Buffer> {
    return Buffer.from(await (await this.#get(`/v1/jobs/${job}/result`)).arrayBuffer());
  }

  async #get(path: string): Promise<Response> {
    const response = await fetch(this.url + path, {
      headers: this.#headers,
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    if (response.status !== 200) throw new Error(`${response.status}: ${await response.text()}`);
    return response;
  }
}
