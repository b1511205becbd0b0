/** Which imports break the house's table, and which files import each other in a circle. */

import { isBuiltin } from 'node:module';
import { posix } from 'node:path';

import type { Import } from './imports.ts';
import { isIn, roomOf } from './rooms.ts';
import type { Room } from './rooms.ts';
import type { SourceFile, Violation } from './source-file.ts';

/** The file's imports that the table does not allow. */
export function importViolations(file: SourceFile): Violation[] {
  const room = roomOf(file.path);
  if (room === null) {
    return [{ path: file.path, line: 1, rule: 'belongs to no room of the import table' }];
  }
  return file.imports.flatMap((one) => {
    const rule = problemOf(file.path, room, one);
    return rule === null ? [] : [{ path: file.path, line: one.line, rule }];
  });
}

/**
 * One violation for each circle of imports that is left at run time, at the file of it that sorts
 * first. A part that names its whole's type makes no such circle.
 */
export function cycleViolations(files: readonly SourceFile[]): Violation[] {
  const graph = new Map(files.map((file) => [file.path, file]));
  const circles = new Map<string, Violation>();
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    const from = trail.indexOf(path);
    if (from !== -1) {
      const circle = turned(trail.slice(from));
      const rule = `imports itself in a circle: ${[...circle, circle[0]].join(' → ')}`;
      circles.set(circle.join(), { path: circle[0] ?? path, line: 1, rule });
      return;
    }
    const file = graph.get(path);
    if (file === undefined || done.has(path)) return;
    for (const one of file.imports) {
      const target = targetOf(path, one);
      if (target !== null && !one.isTypeOnly) visit(target, [...trail, path]);
    }
    done.add(path);
  };
  for (const path of graph.keys()) visit(path, []);
  return [...circles.values()];
}

function problemOf(path: string, room: Room, one: Import): string | null {
  const { specifier, isTypeOnly } = one;
  if (specifier.startsWith('node:') || isBuiltin(specifier)) {
    const name = specifier.replace(/^node:/, '');
    const { builtIns = [] } = room;
    if (builtIns.includes('*') || builtIns.includes(name)) return null;
    return `${room.place} may not import node:${name}`;
  }
  const target = targetOf(path, one);
  if (target === null) {
    const name = /^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier;
    if (room.packages?.includes(name) === true) return null;
    if (room.types?.includes(name) === true && isTypeOnly) return null;
    return `${room.place} may not import package ${name}`;
  }
  if (isIn(target, room.place) || room.may.some((place) => isIn(target, place))) return null;
  const isTypesPlace = room.types?.some((place) => isIn(target, place)) ?? false;
  if (isTypesPlace && isTypeOnly) return null;
  return `${room.place} may not import ${isTypesPlace ? 'more than types of ' : ''}${target}`;
}

/** The imported file's path; null where the import names a package. */
function targetOf(path: string, { specifier }: Import): string | null {
  if (!specifier.startsWith('.')) return null;
  return posix.join(posix.dirname(path), specifier);
}

/** The circle, begun at the path that sorts first: the same whichever way it was found. */
function turned(circle: readonly string[]): string[] {
  const first = circle.indexOf(circle.toSorted()[0] ?? '');
  return [...circle.slice(first), ...circle.slice(0, first)];
}
