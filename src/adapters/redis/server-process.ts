/** Runs a private Redis that keeps nothing on disk and does not outlive this process. */

import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { createConnection, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

import { locateProgram } from './program-path.ts';

const START_TIMEOUT_MS = 10_000;
const STOP_TIMEOUT_MS = 2_000;

export interface ServerProgram {
  /** Absolute. */
  readonly path: string;
  /** A folder for LD_LIBRARY_PATH; null where the system's libraries do. */
  readonly libraryPath: string | null;
}

export interface ServerProcess {
  readonly pid: number;
  /** Ends the server and resolves when it is gone. */
  stop(): Promise<void>;
}

/**
 * Starts the server on the socket and resolves when it accepts connections. It is ended with this
 * process however that ends: the 'exit' handler for an orderly end, the kernel's parent-death
 * signal (or, without setpriv, a shell at the other end of a pipe) for a kill -9.
 */
export async function startServer(
  program: ServerProgram,
  socketPath: string,
  folder: string,
): Promise<ServerProcess> {
  const logPath = `${socketPath}.log`;
  const child = await spawnGuarded(program, serverArguments(socketPath, folder), logPath);
  const server = processOf(child);
  try {
    await untilItListens(child, socketPath);
    return server;
  } catch (error) {
    await server.stop();
    const words = (await readFile(logPath, 'utf8').catch(() => '')).trim().split('\n').at(-1);
    throw new Error(`${program.path} did not start: ${words || (error as Error).message}`, {
      cause: error,
    });
  } finally {
    await rm(logPath, { force: true });
  }
}

/** Connects to a server's Unix socket; rejects with the system's own error. */
export function dialSocket(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ path });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(socket);
    });
  });
}

/** Whether the error says that nobody serves this socket and nobody will again. */
export function isGone(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ECONNREFUSED' || code === 'ENOENT';
}

function serverArguments(socketPath: string, folder: string): string[] {
  const settings = {
    '--port': '0',
    '--unixsocket': socketPath,
    '--unixsocketperm': '700',
    '--save': '',
    '--appendonly': 'no',
    '--maxmemory-policy': 'noeviction',
    '--daemonize': 'no',
    '--loglevel': 'warning',
    '--dir': folder,
  };
  return Object.entries(settings).flat();
}

/**
 * A session of its own keeps the terminal's Ctrl-C away from the server: our process decides when
 * it ends. The environment is not handed on: it holds the provider's key.
 */
async function spawnGuarded(
  program: ServerProgram,
  args: readonly string[],
  logPath: string,
): Promise<ChildProcess> {
  const setpriv = await locateProgram(['setpriv']);
  const guard =
    setpriv === null
      ? { file: '/bin/sh', args: ['-c', PIPE_GUARD, 'sh'], stdin: 'pipe' as const }
      : { file: setpriv, args: ['--pdeathsig', 'TERM'], stdin: 'ignore' as const };
  const log = openSync(logPath, 'w', 0o600);
  try {
    return spawn(guard.file, [...guard.args, program.path, ...args], {
      detached: true,
      stdio: [guard.stdin, log, log],
      env: program.libraryPath === null ? {} : { LD_LIBRARY_PATH: program.libraryPath },
    });
  } finally {
    closeSync(log);
  }
}

/** Ends the server when its own stdin does, which the kernel closes with our process. */
const PIPE_GUARD = `
exec 3<&0
"$@" </dev/null & server=$!
trap 'kill $server' TERM
{ read -r never <&3; kill $server; } 2>/dev/null & watcher=$!
wait $server
wait $server
kill $watcher 2>/dev/null
`;

function processOf(child: ChildProcess): ServerProcess {
  const kill = (): void => void child.kill('SIGTERM');
  const ended = new Promise<void>((resolve) => {
    const end = (): void => {
      process.off('exit', kill);
      resolve();
    };
    child.once('exit', end);
    child.once('error', end);
  });
  process.on('exit', kill);
  child.unref();
  return {
    pid: child.pid ?? 0,
    async stop() {
      child.ref();
      child.kill('SIGTERM');
      const force = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
      await ended;
      clearTimeout(force);
    },
  };
}

async function untilItListens(child: ChildProcess, socketPath: string): Promise<void> {
  const failed = Promise.withResolvers<never>();
  child.once('error', failed.reject);
  child.once('exit', (code, signal) => failed.reject(new Error(`it ended (${code ?? signal})`)));
  failed.promise.catch(() => undefined);
  const deadline = performance.now() + START_TIMEOUT_MS;
  for (;;) {
    try {
      const socket = await Promise.race([dialSocket(socketPath), failed.promise]);
      socket.destroy();
      return;
    } catch (error) {
      if (!isGone(error) || child.exitCode !== null || performance.now() > deadline) throw error;
      await Promise.race([delay(4), failed.promise]);
    }
  }
}
