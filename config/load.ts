/** Reads the environment and a `.env` file into one frozen Config: the only reader of both. */

import { readFileSync } from 'node:fs';
import { homedir, tmpdir, userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import type { ProviderProfile } from './providers.ts';
import { isLoopback, profileFor } from './providers.ts';
import type { Settings } from './schema.ts';
import { settings } from './schema.ts';

/** Everything an operator may set, resolved. */
export interface Config extends Settings {
  readonly profile: ProviderProfile;
  readonly dataDir: string;
  readonly cacheDir: string;
  readonly runtimeDir: string;
  /** Directories in which programs are looked up. */
  readonly programPath: string;
}

/** Names every setting that is wrong, one a line. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** A create whose decision is older than this is not sent any more. */
export const CREATE_DEADLINE_MS = 10_000;

/** Settings whose value may stand in a file that `<NAME>_FILE` names. */
const SECRETS = ['OPENAI_API_KEY', 'REDIS_URL'] as const;

export interface ConfigSource {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly folder: string;
}

/** This process's environment and working folder. */
export function processSource(): ConfigSource {
  return { env: process.env, folder: process.cwd() };
}

/**
 * Precedence: `flags` (by setting name), the environment, `<folder>/.env`, defaults. Empty
 * values count as absent. Throws ConfigError with all that is wrong at once.
 */
export function loadConfig(
  flags: Readonly<Record<string, string | number | undefined>>,
  source: ConfigSource,
): Config {
  const raw = {
    ...present(readEnvFile(source.folder)),
    ...present(source.env),
    ...present(flags),
  };
  const withSecrets = { ...readSecretFiles(raw), ...raw };
  const parsed = settings.safeParse(withSecrets);
  if (!parsed.success) throw new ConfigError(parsed.error.issues.map(describe).join('\n'));
  const values = parsed.data;
  requireSafeTimes(values);
  return Object.freeze({
    ...values,
    OPENAI_BASE_URL: values.OPENAI_BASE_URL.replace(/\/+$/, ''),
    profile: profileOf(values),
    dataDir: resolve(source.folder, values.BATCHWRIGHT_DATA_DIR),
    cacheDir: values.BATCHWRIGHT_CACHE_DIR ?? cacheFolder(source.env),
    runtimeDir: values.BATCHWRIGHT_RUNTIME_DIR ?? runtimeFolder(source.env),
    programPath: source.env['PATH'] ?? '',
  });
}

type Raw = Record<string, string | number>;

function present(values: Readonly<Record<string, string | number | undefined>>): Raw {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined && value !== '');
  return Object.fromEntries(entries) as Raw;
}

function readEnvFile(folder: string): Record<string, string | undefined> {
  try {
    return parseEnv(readFileSync(join(folder, '.env'), 'utf8'));
  } catch (error) {
    if (isMissing(error)) return {};
    throw new ConfigError(`.env cannot be read: ${String(error)}`);
  }
}

function readSecretFiles(raw: Raw): Raw {
  const secrets: Raw = {};
  for (const name of SECRETS) {
    const path = raw[`${name}_FILE`];
    if (path === undefined || raw[name] !== undefined) continue;
    try {
      secrets[name] = readFileSync(String(path), 'utf8').trim();
    } catch {
      throw new ConfigError(`${name}_FILE: ${path} cannot be read.`);
    }
  }
  return secrets;
}

function describe(issue: { path: PropertyKey[]; message: string }): string {
  return `${issue.path.map(String).join('.')}: ${issue.message}`;
}

/**
 * Nobody may give a create up while the process that decided it may still send it and wait for
 * its answer. Servers of this machine spend no money: tests shorten the window there.
 */
function requireSafeTimes(values: Settings): void {
  const { BATCHWRIGHT_CREATE_SETTLE_MS: settleMs, BATCHWRIGHT_CREATE_TIMEOUT_MS: timeoutMs } =
    values;
  const leastMs = CREATE_DEADLINE_MS + timeoutMs;
  if (settleMs >= leastMs || isLoopback(values.OPENAI_BASE_URL)) return;
  throw new ConfigError(
    `BATCHWRIGHT_CREATE_SETTLE_MS: must be at least ${leastMs}: ${CREATE_DEADLINE_MS} and ` +
      'BATCHWRIGHT_CREATE_TIMEOUT_MS, or a batch could be paid twice',
  );
}

function profileOf(values: Settings): ProviderProfile {
  try {
    return profileFor(values.OPENAI_BASE_URL, values.BATCHWRIGHT_PROVIDER ?? null);
  } catch (error) {
    throw new ConfigError(`BATCHWRIGHT_PROVIDER: ${(error as Error).message}`);
  }
}

function cacheFolder(env: ConfigSource['env']): string {
  return join(env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'batchwright');
}

function runtimeFolder(env: ConfigSource['env']): string {
  const own = join(tmpdir(), `batchwright-${userInfo().username}`);
  return env['XDG_RUNTIME_DIR'] === undefined ? own : join(env['XDG_RUNTIME_DIR'], 'batchwright');
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
