/** Sizes, names and texts that break the house's conventions. */

import { posix } from 'node:path';

import { lineAt } from './blanked.ts';
import { functionsOf } from './functions.ts';
import type { SourceFile, Violation } from './source-file.ts';

const FILE_LINES_MAX = 300;
const FUNCTION_LINES_MAX = 60;
const LINE_COLUMNS_MAX = 100;

const FORBIDDEN_NAMES = new Set(['util', 'utils', 'helper', 'helpers', 'common', 'misc', 'index']);
const KEBAB_CASE = /^[a-z0-9]+(?:-[a-z0-9]+)*$/;

/** Words of unfinished work, and switches that turn a checker off. */
const FORBIDDEN_COMMENTS =
  /\b(?:TODO|FIXME|XXX|HACK)\b|@ts-(?:ignore|expect-error|nocheck)|\b(?:es|ox)lint-disable/g;

/** A test that is left out, or that leaves the others out; skipIf and runIf state their reason. */
const FORBIDDEN_TESTS = /\b(?:it|test|describe|suite)\s*\.\s*(?:only|skip|todo)\b/g;

/** Files of more than 300 lines, lines of more than 100 columns. */
export function sizeViolations({ path, source }: SourceFile): Violation[] {
  const lines = source.replace(/\n$/, '').split('\n');
  const found: Violation[] = [];
  if (lines.length > FILE_LINES_MAX) {
    const rule = `has ${lines.length} lines: more than ${FILE_LINES_MAX}`;
    found.push({ path, line: FILE_LINES_MAX + 1, rule });
  }
  for (const [index, line] of lines.entries()) {
    const columns = Array.from(line).length;
    if (columns <= LINE_COLUMNS_MAX) continue;
    const rule = `has ${columns} columns: more than ${LINE_COLUMNS_MAX}`;
    found.push({ path, line: index + 1, rule });
  }
  return found;
}

/** Functions of more than 60 lines. */
export function functionViolations({ path, blanked }: SourceFile): Violation[] {
  return functionsOf(blanked.code)
    .filter(({ lines }) => lines > FUNCTION_LINES_MAX)
    .map(({ name, line, lines }) => {
      const rule = `function ${name} has ${lines} lines: more than ${FUNCTION_LINES_MAX}`;
      return { path, line, rule };
    });
}

/** Names that say nothing, or are not kebab-case. */
export function nameViolations({ path }: SourceFile): Violation[] {
  const segments = path
    .split('/')
    .map((segment) => segment.replace(/(?:(?:\.long)?\.test)?\.[^.]+$/, ''));
  const found: Violation[] = [];
  for (const segment of segments) {
    if (FORBIDDEN_NAMES.has(segment)) {
      found.push({ path, line: 1, rule: `the name ${segment} says nothing` });
    } else if (!KEBAB_CASE.test(segment)) {
      found.push({ path, line: 1, rule: `the name ${segment} is not kebab-case` });
    }
  }
  if (posix.basename(path) === 'types.ts') {
    found.push({ path, line: 1, rule: 'the name types says nothing' });
  }
  return found;
}

/** Unfinished work, switched-off checks, tests that are left out. */
export function textViolations({ path, source, blanked }: SourceFile): Violation[] {
  const comments = [...blanked.comments.matchAll(FORBIDDEN_COMMENTS)];
  const tests = path.startsWith('test/') ? [...blanked.code.matchAll(FORBIDDEN_TESTS)] : [];
  return [...comments, ...tests].map((match) => {
    return { path, line: lineAt(source, match.index), rule: `says ${match[0]}` };
  });
}

/** The environment, which config/load.ts alone may read. */
export function environmentViolations({ path, source, blanked }: SourceFile): Violation[] {
  if (path === 'config/load.ts') return [];
  return [...blanked.code.matchAll(/\bprocess\s*(?:\?\.|\.)\s*env\b|\bimport\.meta\.env\b/g)].map(
    (match) => ({ path, line: lineAt(source, match.index), rule: 'reads the environment' }),
  );
}

/** Files that only hand on what others export, and files without a sentence on what they own. */
export function headerViolations({ path, blanked }: SourceFile): Violation[] {
  const { code, comments } = blanked;
  const found: Violation[] = [];
  if (code.trim() !== '' && withoutImports(code).trim() === '') {
    found.push({ path, line: 1, rule: 'is a barrel' });
  }
  const firstComment = comments.search(/\S/);
  if (firstComment === -1 || withoutImports(code.slice(0, firstComment)).trim() !== '') {
    found.push({ path, line: 1, rule: 'has no comment on top that says what it owns' });
  }
  return found;
}

function withoutImports(code: string): string {
  return code.replace(/\b(?:import|export)\b[^;=()]*?(?:\bfrom\b)?\s*['"]\s*['"]\s*;/g, '');
}
