/** What was given for each setting, and where: flags, the environment, `.env`, secret files. */

import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { nearestName } from './nearest.ts';
import { READ_ELSEWHERE, SECRETS, settings } from './schema.ts';

/** Where a value comes from; a path: the secret file that holds it. */
export type Origin =
  | { readonly kind: 'flag' | 'environment' | '.env' | 'default' }
  | { readonly kind: 'file'; readonly path: string };

export interface Given {
  readonly value: string | number;
  readonly origin: Origin;
}

export type Values = Readonly<Record<string, string | number | undefined>>;

export interface ConfigSource {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The working folder: `.env` lies there, and relative paths start there. */
  readonly folder: string;
}

const OWN = 'BATCHWRIGHT_';
const NAMES: readonly string[] = Object.keys(settings.shape);
const FILE_NAMES = SECRETS.map((name) => `${name}_FILE`);
const KNOWN: ReadonlySet<string> = new Set([...NAMES, ...FILE_NAMES, ...READ_ELSEWHERE]);

/**
 * The value of each setting by name, the first place winning: `flags`, the environment,
 * `<folder>/.env`. Empty values count as absent. What is wrong is added to `problems`, a sentence
 * each.
 */
export function readGiven(
  flags: Values,
  { env, folder }: ConfigSource,
  problems: string[],
): Map<string, Given> {
  const places = [
    ['.env', readEnvFile(folder, problems)],
    ['environment', env],
    ['flag', flags],
  ] as const;
  const given = new Map<string, Given>();
  for (const [kind, values] of places) {
    for (const [name, value] of Object.entries(values)) {
      if (value === undefined || String(value).trim() === '') continue;
      given.set(name, { value, origin: { kind } });
    }
  }
  problems.push(...unknownNames(given));
  readSecretFiles(given, folder, problems);
  return given;
}

/** Where a value comes from, in words. */
export function originText(origin: Origin): string {
  return origin.kind === 'file' ? `file ${origin.path}` : origin.kind;
}

function readEnvFile(folder: string, problems: string[]): Values {
  try {
    return parseEnv(readFileSync(join(folder, '.env'), 'utf8'));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT') problems.push(`.env cannot be read (${code ?? String(error)}).`);
    return {};
  }
}

/** A mistyped setting would silently be its default: only our own names can be judged. */
function unknownNames(given: ReadonlyMap<string, Given>): string[] {
  return [...given].flatMap(([name, { origin }]) => {
    if (!name.startsWith(OWN) || KNOWN.has(name)) return [];
    const inner = name.replace(/_FILE$/, '');
    if (inner !== name && NAMES.includes(inner)) {
      return [`${name} (${originText(origin)}) is no setting: only secrets may lie in files.`];
    }
    const nearest = nearestName(name, [...NAMES, ...FILE_NAMES]);
    const hint = nearest === null ? 'docs/settings.md lists all' : `did you mean ${nearest}`;
    return [`${name} (${originText(origin)}) is no setting; ${hint}${nearest ? '?' : '.'}`];
  });
}

function readSecretFiles(given: Map<string, Given>, folder: string, problems: string[]): void {
  for (const name of SECRETS) {
    const fileName = `${name}_FILE`;
    const file = given.get(fileName);
    if (file === undefined) continue;
    const path = resolve(folder, String(file.value));
    if (given.has(name)) {
      problems.push(`${name} and ${fileName} are both given: leave one out.`);
      continue;
    }
    const text = readText(path);
    if (text instanceof Error) {
      const { code = text.message } = text as NodeJS.ErrnoException;
      problems.push(`${fileName}: ${path} cannot be read (${code}).`);
    } else if (text === '') {
      problems.push(`${fileName}: ${path} is empty.`);
    } else {
      given.set(name, { value: text, origin: { kind: 'file', path } });
    }
  }
}

function readText(path: string): string | Error {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    return error as Error;
  }
}
