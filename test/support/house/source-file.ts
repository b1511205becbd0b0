/** The source files of the house. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { blanked } from './blanked.ts';
import type { Blanked } from './blanked.ts';
import { importsOf } from './imports.ts';
import type { Import } from './imports.ts';

export interface SourceFile {
  /** From the house's root, with slashes. */
  readonly path: string;
  readonly source: string;
  readonly blanked: Blanked;
  readonly imports: readonly Import[];
}

/** Something that breaks a rule of the house. */
export interface Violation {
  readonly path: string;
  readonly line: number;
  readonly rule: string;
}

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** All TypeScript files below the folders, sorted by path. */
export function sourceFiles(folders: readonly string[]): SourceFile[] {
  return folders
    .flatMap((folder) => readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && /\.[cm]?tsx?$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => [path.slice(ROOT.length).replaceAll('\\', '/'), path] as const)
    .map(([name, path]) => sourceFile(name, readFileSync(path, 'utf8')))
    .toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

/** A file of that path and text, which need not exist. */
export function sourceFile(path: string, source: string): SourceFile {
  const blank = blanked(source);
  return { path, source, blanked: blank, imports: importsOf(source, blank) };
}

/** `path:line rule`, as editors and people read it. */
export function shown({ path, line, rule }: Violation): string {
  return `${path}:${line} ${rule}`;
}
