/** The functions of a source file and their lengths, read without a compiler. */

import { lineAt } from './blanked.ts';

export interface FunctionSpan {
  readonly name: string;
  /** Counted from 1. */
  readonly line: number;
  /** From the line of its parameters' start to that of its closing brace. */
  readonly lines: number;
}

const NOT_FUNCTIONS = new Set(['if', 'for', 'while', 'switch', 'catch', 'with', 'await']);
const CLOSING: Record<string, string> = { '(': ')', '[': ']', '{': '}' };

/** All functions with a body in braces; `code` is a blanked source. */
export function functionsOf(code: string): FunctionSpan[] {
  const found: FunctionSpan[] = [];
  for (let open = code.indexOf('('); open !== -1; open = code.indexOf('(', open + 1)) {
    const name = nameBefore(code, open);
    if (NOT_FUNCTIONS.has(name)) continue;
    const body = bodyAfter(code, matching(code, open) + 1);
    if (body === -1) continue;
    const line = lineAt(code, open);
    const end = lineAt(code, matching(code, body));
    found.push({ name: name === '' ? '(anonymous)' : name, line, lines: end - line + 1 });
  }
  return found;
}

/** The name in front of the parameters, type parameters skipped. */
function nameBefore(code: string, open: number): string {
  const before = code.slice(Math.max(0, open - 300), open).trimEnd();
  const bare = before.endsWith('>') ? before.slice(0, openingAngle(before)) : before;
  return /([#\w$]+)$/.exec(bare)?.[1] ?? '';
}

function openingAngle(text: string): number {
  let depth = 0;
  for (let at = text.length - 1; at >= 0; at -= 1) {
    if (text.charAt(at) === '>' && text.charAt(at - 1) !== '=') depth += 1;
    if (text.charAt(at) === '<') depth -= 1;
    if (depth === 0) return at;
  }
  return text.length;
}

/** The offset of the body's brace where what follows the parameters has one, else -1. */
function bodyAfter(code: string, start: number): number {
  let at = skipSpace(code, start);
  if (code.charAt(at) === '{') return at;
  if (code.startsWith('=>', at)) return braceAfterArrow(code, at);
  if (code.charAt(at) !== ':') return -1;
  // A return type: a brace in it opens a type where a type must follow, else the body.
  let isTypeDue = true;
  for (at += 1; at < code.length; at += 1) {
    const character = code.charAt(at);
    if (/\s/.test(character)) continue;
    if (code.startsWith('=>', at)) {
      const brace = braceAfterArrow(code, at);
      if (brace !== -1) return brace;
      at += 1;
      isTypeDue = true;
    } else if (character === '{' && !isTypeDue) {
      return at;
    } else if (character in CLOSING) {
      at = matching(code, at);
      isTypeDue = false;
    } else if (';,)=?'.includes(character)) {
      return -1;
    } else {
      isTypeDue = '|&<:'.includes(character) || /\b(?:is|extends|keyof)$/.test(wordAt(code, at));
    }
  }
  return -1;
}

function braceAfterArrow(code: string, arrow: number): number {
  const at = skipSpace(code, arrow + 2);
  return code.charAt(at) === '{' ? at : -1;
}

function wordAt(code: string, end: number): string {
  return code.slice(Math.max(0, end - 10), end + 1);
}

function skipSpace(code: string, start: number): number {
  let at = start;
  while (/\s/.test(code.charAt(at))) at += 1;
  return at;
}

/** The offset of the bracket that closes the one at `open`; the end where there is none. */
function matching(code: string, open: number): number {
  const opening = code.charAt(open);
  const closing = CLOSING[opening] ?? opening;
  let depth = 0;
  for (let at = open; at < code.length; at += 1) {
    if (code.charAt(at) === opening) depth += 1;
    if (code.charAt(at) === closing) depth -= 1;
    if (depth === 0) return at;
  }
  return code.length;
}
