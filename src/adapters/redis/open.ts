/** Opens the Redis that a process works with: the operator's server or a private one. */

import { Redis } from 'ioredis';

import { Refusal } from '../../domain/errors.ts';
import { type ConnectionPurpose, Connections, type MakeConnection } from './connections.ts';
import { connectorTo } from './connector.ts';
import { EmbeddedServer } from './embedded.ts';
import { inspectRedis, type RedisReport } from './inspect.ts';
import { findServerProgram } from './server-program.ts';

/** A server that is just being started beside us is waited for. */
const OPEN_TIMEOUT_MS = 10_000;
const COMMAND_TIMEOUT_MS = 5_000;

export interface RedisSettings {
  /** REDIS_URL; null: a private server. */
  readonly url: string | null;
  /** REDIS_SERVER_BIN; null: one is looked for. */
  readonly serverBin: string | null;
  readonly dataDir: string;
  /** Short, private to the user, empty after a boot: where sockets live. */
  readonly runtimeDir: string;
  /** Where a fetched server package is kept between runs. */
  readonly cacheDir: string;
  /** Gets whole lines for people; no secrets are in them. */
  readonly log: (line: string) => void;
  /** How long an operator's server is waited for when it is opened. */
  readonly openTimeoutMs?: number;
  /** After which a producer's command fails where the server is silent. */
  readonly commandTimeoutMs?: number;
}

export interface RedisHandle {
  /** A new connection, which reconnects by itself; ended by `close`. */
  connect(purpose: ConnectionPurpose): Redis;
  /** What it is, in words, without secrets. */
  describe(): string;
  /** For an operator's server; a private one is as it should be. */
  inspect(): Promise<RedisReport>;
  /** The pid of the private server where this process owns it, else null. */
  serverPid(): number | null;
  /** Ends all connections, and the private server where this process owns it. */
  close(): Promise<void>;
}

/**
 * Resolves when the server answers. Rejects with a Refusal that names the way out where there is
 * none, or where its maxmemory-policy would lose queue entries.
 */
export async function openRedis(settings: RedisSettings): Promise<RedisHandle> {
  const { url } = settings;
  const handle = url === null ? await openPrivate(settings) : openUrl(url, settings);
  try {
    await proveThatItAnswers(handle, settings.openTimeoutMs ?? OPEN_TIMEOUT_MS);
    const { problems, warnings } = await handle.inspect();
    for (const warning of warnings) settings.log(warning);
    if (problems.length > 0) throw new Refusal('configuration', problems.join(' '));
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function openPrivate(settings: RedisSettings): Promise<RedisHandle> {
  const { dataDir, runtimeDir, log } = settings;
  const findProgram = () => findServerProgram(settings);
  const server = await EmbeddedServer.open({ dataDir, runtimeDir, findProgram, log });
  // The first dial is ours: ioredis would repeat a start that cannot succeed.
  (await server.dial()).destroy();
  const Connector = connectorTo(() => server.dial());
  const connections = connectionsOf(settings, (options) => new Redis({ ...options, Connector }));
  return {
    connect: (purpose) => connections.open(purpose),
    describe: () => `private Redis at ${server.socketPath}`,
    inspect: () => Promise.resolve({ ok: true, problems: [], warnings: [] }),
    serverPid: () => server.ownPid,
    async close() {
      connections.close();
      await server.close();
    },
  };
}

function openUrl(url: string, settings: RedisSettings): RedisHandle {
  const connections = connectionsOf(settings, (options) => new Redis(url, options));
  return {
    connect: (purpose) => connections.open(purpose),
    describe: () => `Redis at ${withoutSecrets(url)}`,
    async inspect() {
      const redis = connections.open('producer');
      try {
        return await inspectRedis(redis);
      } finally {
        redis.disconnect();
      }
    },
    serverPid: () => null,
    close: () => Promise.resolve(connections.close()),
  };
}

function connectionsOf(settings: RedisSettings, make: MakeConnection): Connections {
  return new Connections(make, settings.commandTimeoutMs ?? COMMAND_TIMEOUT_MS, settings.log);
}

async function proveThatItAnswers(handle: RedisHandle, timeoutMs: number): Promise<void> {
  const redis = handle.connect('worker');
  let reason = 'no answer';
  redis.on('error', (error: Error) => {
    reason = error.message || (error as NodeJS.ErrnoException).code || reason;
  });
  const timeout = Promise.withResolvers<never>();
  const timer = setTimeout(() => timeout.reject(new Error('timeout')), timeoutMs);
  try {
    await Promise.race([redis.ping(), timeout.promise]);
  } catch {
    const way = 'start it, or correct REDIS_URL, or leave REDIS_URL out for a private server';
    throw new Refusal('configuration', `${handle.describe()} does not answer (${reason}): ${way}.`);
  } finally {
    clearTimeout(timer);
    redis.disconnect();
  }
}

function withoutSecrets(url: string): string {
  try {
    const { protocol, host, pathname } = new URL(url);
    return `${protocol}//${host}${pathname}`;
  } catch {
    return 'the address in REDIS_URL';
  }
}
