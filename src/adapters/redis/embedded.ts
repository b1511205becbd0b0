/**
 * One Redis for all processes that work on a data directory: whoever finds none starts one, the
 * others connect to it, and when its owner ends a survivor starts the next.
 */

import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import type { Socket } from 'node:net';

import { Generations } from './generations.ts';
import type { ServerProcess, ServerProgram } from './server-process.ts';
import { dialSocket, isGone, startServer } from './server-process.ts';

/** More generations than this can only end while one process connects if something kills them. */
const MAX_TRIES = 8;

export interface EmbeddedOptions {
  readonly dataDir: string;
  readonly runtimeDir: string;
  /** Asked only when a server has to be started. */
  readonly findProgram: () => Promise<ServerProgram>;
  readonly log: (line: string) => void;
}

export class EmbeddedServer {
  readonly #options: EmbeddedOptions;
  readonly #generations: Generations;
  #starting: Promise<void> | null = null;
  #own: ServerProcess | null = null;
  #socketPath = '';
  #closed = false;

  private constructor(options: EmbeddedOptions, generations: Generations) {
    this.#options = options;
    this.#generations = generations;
  }

  static async open(options: EmbeddedOptions): Promise<EmbeddedServer> {
    const generations = await Generations.of(options.dataDir, options.runtimeDir);
    return new EmbeddedServer(options, generations);
  }

  /** The socket of the last connection. */
  get socketPath(): string {
    return this.#socketPath;
  }

  /** The pid of the server that this process started; null: it uses another's. */
  get ownPid(): number | null {
    return this.#own?.pid ?? null;
  }

  /** A connection to the living server; starts one where none lives. */
  async dial(): Promise<Socket> {
    for (let tries = 1; ; tries += 1) {
      const newest = await this.#generations.newest();
      try {
        const path = this.#generations.pathOf(newest);
        const socket = await dialSocket(path);
        this.#socketPath = path;
        return socket;
      } catch (error) {
        if (!isGone(error) || this.#closed || tries === MAX_TRIES) throw error;
      }
      await this.#startOnce(newest + 1);
    }
  }

  /** Ends the server where this process owns it; others start the next one. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#starting?.catch(() => undefined);
    await this.#own?.stop();
    this.#own = null;
  }

  /** All connections of this process find the server gone at once; one start serves them. */
  async #startOnce(generation: number): Promise<void> {
    this.#starting ??= this.#start(generation).finally(() => {
      this.#starting = null;
    });
    await this.#starting;
  }

  async #start(generation: number): Promise<void> {
    const program = await this.#options.findProgram();
    const privatePath = this.#generations.privatePath(randomBytes(4).toString('hex'));
    const server = await startServer(program, privatePath, this.#generations.folder);
    const won = await this.#generations.claim(privatePath, generation);
    await rm(privatePath, { force: true });
    if (!won) {
      await server.stop();
      return;
    }
    await this.#own?.stop();
    this.#own = server;
    await this.#generations.removeBefore(generation);
    if (this.#socketPath !== '') this.#options.log('the private Redis was gone; started the next');
  }
}
