/** Opens the Redis that a process works with: the operator's server or a private one. */

import { Redis } from 'ioredis';

import { Refusal } from '../../domain/errors.ts';
import { type ConnectionPurpose, Connections, type MakeConnection } from './connections.ts';
import { connectorTo } from './connector.ts';
import { EmbeddedServer } from './embedded.ts';
import { firstAnswer } from './first-answer.ts';
import { RedisGuard } from './guard.ts';
import { inspectRedis, type RedisReport } from './inspect.ts';
import { RedisNews, type Tell } from './news.ts';
import { findServerProgram } from './server-program.ts';

/** A server that is just being started beside us is waited for. */
const OPEN_TIMEOUT_MS = 10_000;
const COMMAND_TIMEOUT_MS = 5_000;
const INSPECT_TIMEOUT_MS = 5_000;

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
  readonly log: Tell;
  /** How long an operator's server is waited for when it is opened. */
  readonly openTimeoutMs?: number;
  /** After which a producer's command fails where the server is silent. */
  readonly commandTimeoutMs?: number;
  /** Between two looks at whether an operator's server is still fit. */
  readonly guardIntervalMs?: number;
}

export interface RedisHandle {
  /** A new connection, which reconnects by itself; ended by `close`. */
  connect(purpose: ConnectionPurpose): Redis;
  /** What it is, in words, without secrets. */
  describe(): string;
  /** Asks the server about itself; rejects where it does not answer in time (5 s by default). */
  inspect(timeoutMs?: number): Promise<RedisReport>;
  /** Whether the error is a `RedisTrouble`: people are told of it here, once. */
  hear(error: unknown): boolean;
  /** The pid of the private server where this process owns it, else null. */
  serverPid(): number | null;
  /** Ends all connections, and the private server where this process owns it. */
  close(): Promise<void>;
}

/**
 * Resolves when the server answers. Rejects with a Refusal that names the way out where there is
 * none, or where it is unfit: its maxmemory-policy would lose queue entries, it is a replica …
 */
export async function openRedis(settings: RedisSettings): Promise<RedisHandle> {
  const { url } = settings;
  return url === null ? openPrivate(settings) : openUrl(url, settings);
}

async function openPrivate(settings: RedisSettings): Promise<RedisHandle> {
  const { dataDir, runtimeDir, log } = settings;
  const inform = (line: string): void => log(line, 'info');
  const findProgram = () => findServerProgram({ ...settings, log: inform });
  const server = await EmbeddedServer.open({ dataDir, runtimeDir, findProgram, log: inform });
  // The first dial is ours: ioredis would repeat a start that cannot succeed.
  (await server.dial()).destroy();
  const Connector = connectorTo(() => server.dial());
  const news = new RedisNews(log);
  const connections = connectionsOf(settings, news, (options) => {
    return new Redis({ ...options, Connector });
  });
  const handle: RedisHandle = {
    connect: (purpose) => connections.open(purpose),
    describe: () => `private Redis at ${server.socketPath}`,
    // That it keeps nothing on disk is as it should be.
    inspect: async (timeoutMs) => ({
      ...(await inspectOver(connections, timeoutMs)),
      warnings: [],
    }),
    hear: (error) => news.hear(error),
    serverPid: () => server.ownPid,
    async close() {
      connections.close();
      await server.close();
    },
  };
  try {
    await proveThatItAnswers(handle, settings);
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function openUrl(url: string, settings: RedisSettings): Promise<RedisHandle> {
  const news = new RedisNews(settings.log);
  const connections = connectionsOf(settings, news, (options) => new Redis(url, options));
  let guard: RedisGuard | null = null;
  const handle: RedisHandle = {
    connect: (purpose) => connections.open(purpose),
    describe: () => `Redis at ${withoutSecrets(url)}`,
    inspect: (timeoutMs) => inspectOver(connections, timeoutMs),
    hear: (error) => news.hear(error),
    serverPid: () => null,
    close: () => {
      guard?.close();
      return Promise.resolve(connections.close());
    },
  };
  try {
    await proveThatItAnswers(handle, settings);
    const { problems, troubles, warnings } = await handle.inspect();
    if (problems.length > 0) throw new Refusal('configuration', problems.join(' '));
    const told = [...warnings, ...troubles];
    for (const line of told) settings.log(line, 'warning');
    const redis = connections.open('producer');
    const interval =
      settings.guardIntervalMs === undefined ? {} : { intervalMs: settings.guardIntervalMs };
    guard = new RedisGuard({ redis, news, tell: settings.log, ...interval }, told);
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

function connectionsOf(
  settings: RedisSettings,
  news: RedisNews,
  make: MakeConnection,
): Connections {
  return new Connections(make, settings.commandTimeoutMs ?? COMMAND_TIMEOUT_MS, news);
}

async function inspectOver(
  connections: Connections,
  timeoutMs = INSPECT_TIMEOUT_MS,
): Promise<RedisReport> {
  const redis = connections.open('probe');
  // What still waits for an answer rejects then.
  const timer = setTimeout(() => redis.disconnect(), timeoutMs);
  try {
    return await inspectRedis(redis);
  } finally {
    clearTimeout(timer);
    redis.disconnect();
  }
}

async function proveThatItAnswers(handle: RedisHandle, settings: RedisSettings): Promise<void> {
  const redis = handle.connect('probe');
  const timeoutMs = settings.openTimeoutMs ?? OPEN_TIMEOUT_MS;
  try {
    await firstAnswer(redis, { name: handle.describe(), timeoutMs, tell: settings.log });
  } finally {
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
