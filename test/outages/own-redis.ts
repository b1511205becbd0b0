/** An operator's Redis of ours, on TCP with an append-only file, to be killed and restarted. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { createConnection, createServer } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { Redis } from 'ioredis';

import { findServerProgram } from '../../src/adapters/redis/server-program.ts';
import type { ServerProgram } from '../../src/adapters/redis/server-process.ts';

/** With which of its data it starts. */
type Return = 'whole' | 'empty' | 'older';

export class OwnRedis {
  readonly port: number;
  readonly #program: ServerProgram;
  readonly #folder: string;
  readonly #settings: readonly string[];
  #child: ChildProcess | null = null;
  #exited: Promise<unknown> = Promise.resolve();

  private constructor(
    program: ServerProgram,
    folder: string,
    port: number,
    settings: readonly string[],
  ) {
    this.#program = program;
    this.#folder = folder;
    this.port = port;
    this.#settings = settings;
  }

  /** A started server; `settings` are further arguments: `--requirepass`, `x` … */
  static async start(settings: readonly string[] = []): Promise<OwnRedis> {
    const cacheDir = join(homedir(), '.cache', 'batchwright');
    const program = await findServerProgram({ serverBin: null, cacheDir, log: () => undefined });
    const folder = await mkdtemp(join(tmpdir(), 'bw-own-redis-'));
    const redis = new OwnRedis(program, folder, await freePort(), settings);
    await redis.restart('whole');
    return redis;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** SIGKILL; resolves when it is gone. */
  async kill(): Promise<void> {
    this.#child?.kill('SIGCONT');
    this.#child?.kill('SIGKILL');
    await this.#exited;
    this.#child = null;
  }

  /**
   * Starts it on the same port: `whole` from its append-only file, `empty` without, `older` from
   * the copy that was kept.
   */
  async restart(how: Return): Promise<void> {
    await this.boot(how);
    await this.ask((client) => client.ping());
  }

  /** The same, but resolves when it listens: it may be loading its data still. */
  async boot(how: Return): Promise<void> {
    const files = join(this.#folder, 'aof');
    if (how !== 'whole') await rm(files, { recursive: true, force: true });
    if (how === 'older') await rename(this.#copy, files);
    await mkdir(files, { recursive: true });
    const { path, libraryPath } = this.#program;
    const child = spawn(path, [...this.#arguments(), ...this.#settings], {
      stdio: 'ignore',
      env: libraryPath === null ? {} : { LD_LIBRARY_PATH: libraryPath },
    });
    this.#child = child;
    this.#exited = once(child, 'exit');
    while (!(await listens(this.port))) await delay(5);
  }

  /** What it has written until now, for a start from it. Each beginning of its file is valid. */
  async keepCopy(): Promise<void> {
    await cp(join(this.#folder, 'aof'), this.#copy, { recursive: true });
  }

  freeze(): void {
    this.#child?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child?.kill('SIGCONT');
  }

  async flush(): Promise<void> {
    await this.ask((client) => client.flushall());
  }

  /** In bytes; 0: no limit. */
  async limitMemory(bytes: number): Promise<void> {
    await this.ask((client) => client.config('SET', 'maxmemory', String(bytes)));
  }

  /** From now on it makes room by dropping keys: half of what it holds, and on as it grows. */
  async evictHalf(): Promise<void> {
    await this.ask(async (client) => {
      const memory = await client.info('memory');
      const half = Math.floor(figureIn(memory, 'used_memory_dataset') / 2);
      await client.config('SET', 'maxmemory-policy', 'allkeys-lru');
      await client.config('SET', 'maxmemory', String(figureIn(memory, 'used_memory') - half));
    });
  }

  /** Ends that; resolves to how many keys it has dropped since its start. */
  async evictNothing(): Promise<number> {
    return this.ask(async (client) => {
      await client.config('SET', 'maxmemory', '0');
      await client.config('SET', 'maxmemory-policy', 'noeviction');
      return figureIn(await client.info('stats'), 'evicted_keys');
    });
  }

  /** Makes it a replica of the local port; null: its own master again. */
  async replicate(port: number | null): Promise<void> {
    await this.ask((client) =>
      port === null ? client.replicaof('NO', 'ONE') : client.replicaof('127.0.0.1', port),
    );
  }

  /** Asks the server over a connection of its own, as soon as it can be reached. */
  async ask<Answer>(question: (client: Redis) => Promise<Answer>): Promise<Answer> {
    const client = new Redis(this.port, '127.0.0.1', {
      maxRetriesPerRequest: null,
      retryStrategy: () => 5,
      ...this.#login(),
    });
    client.on('error', () => undefined);
    try {
      return await question(client);
    } finally {
      client.disconnect();
    }
  }

  async close(): Promise<void> {
    await this.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }

  get #copy(): string {
    return join(this.#folder, 'aof-of-before');
  }

  #login(): { password?: string } {
    const at = this.#settings.indexOf('--requirepass');
    const password = this.#settings[at + 1];
    return at < 0 || password === undefined ? {} : { password };
  }

  #arguments(): string[] {
    const settings = {
      '--bind': '127.0.0.1',
      '--port': String(this.port),
      '--dir': this.#folder,
      '--save': '',
      '--appendonly': 'yes',
      '--appenddirname': 'aof',
      '--maxmemory-policy': 'noeviction',
    };
    return Object.entries(settings).flat();
  }
}

function figureIn(info: string, name: string): number {
  return Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1] ?? 0);
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ port, host: '127.0.0.1' });
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}

/** A port of the loopback interface that nobody listened on a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
