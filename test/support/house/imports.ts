/** What a source file imports, read without a compiler. */

import { lineAt } from './blanked.ts';
import type { Blanked } from './blanked.ts';

export interface Import {
  readonly specifier: string;
  /** Whether it vanishes when types are stripped: `import type`, `export type … from`. */
  readonly isTypeOnly: boolean;
  /** Counted from 1. */
  readonly line: number;
}

const STATIC = /\b(?:import|export)\b(?!\s*\()(\s+type\b(?!\s*(?:,|from\b)))?[^;'"`()=]*?(['"])/g;
const DYNAMIC = /\b(?:import|require)\s*\(\s*(['"`])/g;

/** All imports and re-exports of the file, dynamic ones included. */
export function importsOf(source: string, { code }: Blanked): Import[] {
  const found: Import[] = [];
  for (const match of code.matchAll(STATIC)) {
    if (!/\bfrom\s*['"]$|\bimport\s*['"]$/.test(match[0])) continue;
    const isTypeOnly = match[1] !== undefined || hasOnlyTypes(match[0]);
    found.push(importAt(source, match, isTypeOnly));
  }
  for (const match of code.matchAll(DYNAMIC)) found.push(importAt(source, match, false));
  return found.toSorted((a, b) => a.line - b.line);
}

/** Whether each name in the braces is marked as a type, and there is no other name. */
function hasOnlyTypes(statement: string): boolean {
  const names = /^(?:import|export)\s*\{([^}]*)\}/.exec(statement)?.[1]?.split(',') ?? [];
  const given = names.map((name) => name.trim()).filter((name) => name !== '');
  return given.length > 0 && given.every((name) => name.startsWith('type '));
}

function importAt(source: string, match: RegExpExecArray, isTypeOnly: boolean): Import {
  const start = match.index + match[0].length;
  const quote = source.charAt(start - 1);
  const specifier = source.slice(start, source.indexOf(quote, start));
  return { specifier, isTypeOnly, line: lineAt(source, match.index) };
}
