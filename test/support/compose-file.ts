/** docker-compose.yml as Compose reads it: anchors and merge keys resolved. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { parseDocument } from 'yaml';

export interface Healthcheck {
  readonly test: readonly string[];
  readonly interval: string;
  readonly timeout: string;
  readonly start_period?: string;
  readonly retries: number;
}

export interface ComposeService {
  readonly image: string;
  readonly build?: string;
  readonly command?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly healthcheck?: Healthcheck;
  readonly profiles?: readonly string[];
  readonly restart?: string;
  readonly stop_grace_period?: string;
}

export interface ComposeFile {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly volumes: Readonly<Record<string, null>>;
}

const ROOT = join(import.meta.dirname, '..', '..');

/** A file of the repository's root. */
export function rootText(name: string): string {
  return readFileSync(join(ROOT, name), 'utf8');
}

/** Throws on what is no YAML, on keys that stand twice, and on warnings. */
export function readComposeFile(): ComposeFile {
  const document = parseDocument(rootText('docker-compose.yml'), {
    merge: true,
    strict: true,
    uniqueKeys: true,
    version: '1.2',
  });
  const [problem] = [...document.errors, ...document.warnings];
  if (problem !== undefined) throw problem;
  return document.toJS() as ComposeFile;
}

/** A service by its name. */
export function serviceOf({ services }: ComposeFile, name: string): ComposeService {
  const service = services[name];
  if (service === undefined) throw new Error(`docker-compose.yml has no service ${name}`);
  return service;
}
