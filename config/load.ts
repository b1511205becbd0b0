/** Reads flags, the environment and a `.env` file into one frozen Config: their only reader. */

import { homedir, tmpdir, userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import type { ConfigSource, Given, Origin, Values } from './given.ts';
import { originText, readGiven } from './given.ts';
import type { ProviderProfile } from './providers.ts';
import { isLoopback, profileFor } from './providers.ts';
import type { SettingName, Settings } from './schema.ts';
import { SECRETS, settings } from './schema.ts';

/** Everything an operator may set, resolved. */
export interface Config extends Settings {
  readonly profile: ProviderProfile;
  readonly dataDir: string;
  readonly cacheDir: string;
  readonly runtimeDir: string;
  /** Directories in which programs are looked up. */
  readonly programPath: string;
}

/** One setting as it stands. */
export interface SettingView {
  readonly name: SettingName;
  /** Null: not given, and there is no default. A secret that is given is `set`. */
  readonly value: string | null;
  readonly origin: Origin;
}

/** Names everything that is wrong, one sentence a line. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** A create whose decision is older than this is not sent any more. */
export const CREATE_DEADLINE_MS = 10_000;

/** This process's environment and working folder. */
export function processSource(): ConfigSource {
  return { env: process.env, folder: process.cwd() };
}

/** What a command cannot do without. */
export interface Needs {
  /** A key of the provider; servers on this machine ask for none. */
  readonly key: boolean;
}

const NO_NEEDS: Needs = { key: false };

/**
 * Precedence: `flags` (by setting name), the environment, `<folder>/.env`, defaults. Empty
 * values count as absent. Throws ConfigError with all that is wrong at once.
 */
export function loadConfig(flags: Values, source: ConfigSource, needs = NO_NEEDS): Config {
  const { values, profile } = readSettings(flags, source, needs);
  return Object.freeze({
    ...values,
    profile,
    dataDir: resolve(source.folder, values.BATCHWRIGHT_DATA_DIR),
    cacheDir: values.BATCHWRIGHT_CACHE_DIR ?? cacheFolder(source.env),
    runtimeDir: values.BATCHWRIGHT_RUNTIME_DIR ?? runtimeFolder(source.env),
    programPath: source.env['PATH'] ?? '',
  });
}

/** Each setting, its value and where that comes from. Throws ConfigError as loadConfig does. */
export function viewSettings(flags: Values, source: ConfigSource): SettingView[] {
  const { values, given } = readSettings(flags, source, NO_NEEDS);
  return NAMES.map((name) => {
    const origin = given.get(name)?.origin ?? { kind: 'default' };
    const value = values[name];
    if (value === undefined) return { name, value: null, origin };
    return { name, value: isSecret(name) ? 'set' : String(value), origin };
  });
}

const NAMES = Object.keys(settings.shape) as SettingName[];

interface SettingsRead {
  readonly values: Settings;
  readonly profile: ProviderProfile;
  readonly given: ReadonlyMap<string, Given>;
}

function readSettings(flags: Values, source: ConfigSource, needs: Needs): SettingsRead {
  const problems: string[] = [];
  const given = readGiven(flags, source, problems);
  const values = parseAll(given, problems);
  const profile = findProfile(values, problems);
  problems.push(...unsafeTimes(values));
  if (needs.key) problems.push(...missingKey(values, given));
  if (problems.length > 0 || profile === null) throw new ConfigError(problems.join('\n'));
  return { values: values as Settings, profile, given };
}

/** One by one, so that what depends on two settings is looked at though a third is wrong. */
function parseAll(given: ReadonlyMap<string, Given>, problems: string[]): Partial<Settings> {
  const values: Partial<Record<SettingName, unknown>> = {};
  for (const name of NAMES) {
    const one = given.get(name);
    const parsed = settings.shape[name].safeParse(one?.value);
    if (parsed.success) {
      values[name] = parsed.data;
    } else {
      const mustBe = parsed.error.issues[0]?.message ?? 'cannot be so';
      problems.push(`${name} ${mustBe}; ${one === undefined ? 'it is not' : shown(name, one)}.`);
    }
  }
  const { OPENAI_BASE_URL: baseUrl } = values as Partial<Settings>;
  if (baseUrl !== undefined) values.OPENAI_BASE_URL = baseUrl.replace(/\/+$/, '');
  return values as Partial<Settings>;
}

/** What was given instead, for people; a URL may hold a password where it must not. */
function shown(name: SettingName, { value, origin }: Given): string {
  const text = String(value);
  const isHidden = isSecret(name) || /:\/\/.*[@?]/s.test(text);
  const what = isHidden ? 'what is given is not' : `it is ${JSON.stringify(text.slice(0, 100))}`;
  return `${what} (${originText(origin)})`;
}

function isSecret(name: SettingName): boolean {
  return SECRETS.some((secret) => secret === name);
}

/**
 * Nobody may give a create up while the process that decided it may still send it and wait for
 * its answer. Servers of this machine spend no money: tests shorten the window there.
 */
function unsafeTimes(values: Partial<Settings>): string[] {
  const {
    OPENAI_BASE_URL: baseUrl,
    BATCHWRIGHT_CREATE_SETTLE_MS: settleMs,
    BATCHWRIGHT_CREATE_TIMEOUT_MS: timeoutMs,
  } = values;
  if (baseUrl === undefined || settleMs === undefined || timeoutMs === undefined) return [];
  const leastMs = CREATE_DEADLINE_MS + timeoutMs;
  if (settleMs >= leastMs || isLoopback(baseUrl)) return [];
  return [
    `BATCHWRIGHT_CREATE_SETTLE_MS must be at least ${leastMs}: ${CREATE_DEADLINE_MS} and ` +
      `BATCHWRIGHT_CREATE_TIMEOUT_MS, or a batch could be paid twice; it is ${settleMs}.`,
  ];
}

function missingKey(
  { OPENAI_BASE_URL: baseUrl }: Partial<Settings>,
  given: ReadonlyMap<string, Given>,
): string[] {
  // Of a key that is given wrongly, and of a URL that is none, enough is said.
  const isGiven = given.has('OPENAI_API_KEY') || given.has('OPENAI_API_KEY_FILE');
  if (isGiven || baseUrl === undefined || isLoopback(baseUrl)) return [];
  return [
    'OPENAI_API_KEY is not set: export it, write it to .env, or try everything for nothing ' +
      '(batchwright simulate shows how).',
  ];
}

function findProfile(values: Partial<Settings>, problems: string[]): ProviderProfile | null {
  const { OPENAI_BASE_URL: baseUrl, BATCHWRIGHT_PROVIDER: name } = values;
  // A URL that is wrong has been told; the name of a profile can be judged without it.
  const host = baseUrl ?? 'http://localhost';
  try {
    return profileFor(host, name ?? null);
  } catch (error) {
    problems.push(`BATCHWRIGHT_PROVIDER: ${(error as Error).message}.`);
    return null;
  }
}

function cacheFolder(env: ConfigSource['env']): string {
  return join(env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'batchwright');
}

function runtimeFolder(env: ConfigSource['env']): string {
  const own = join(tmpdir(), `batchwright-${userInfo().username}`);
  return env['XDG_RUNTIME_DIR'] === undefined ? own : join(env['XDG_RUNTIME_DIR'], 'batchwright');
}
