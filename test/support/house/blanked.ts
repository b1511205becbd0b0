/**
 * A source text whose comments and literals are blanked, so that what is left can be searched
 * with plain patterns. Blanking keeps every offset and line: each character becomes a space,
 * quotes and newlines stay.
 */

export interface Blanked {
  /** Without comments and without the contents of strings, templates and patterns. */
  readonly code: string;
  /** The comments alone. */
  readonly comments: string;
}

/** Blanks a TypeScript source text. */
export function blanked(source: string): Blanked {
  const scan = new Scan(source);
  scan.run();
  return { code: scan.code.join(''), comments: scan.comments.join('') };
}

/** After one of these a slash begins a pattern; after anything else it divides. */
const BEFORE_PATTERN = /(?:^|[(,=:[!&|?{;+\-*%~^<>]|\b(?:return|typeof|case|in|of|do|else|void))$/;

class Scan {
  readonly code: string[];
  readonly comments: string[];
  readonly #source: string;
  #at = 0;
  /** For each open `${`: the depth of braces at which it closes. */
  readonly #templates: number[] = [];
  #depth = 0;

  constructor(source: string) {
    this.#source = source;
    this.code = blankOf(source);
    this.comments = blankOf(source);
  }

  run(): void {
    // The line that names the interpreter is neither code nor comment.
    this.#at = /^#!.*/.exec(this.#source)?.[0].length ?? 0;
    while (this.#at < this.#source.length) this.#step();
  }

  #step(): void {
    const two = this.#source.slice(this.#at, this.#at + 2);
    const one = two.charAt(0);
    if (two === '//') this.#comment(/\n|$/g, 0);
    else if (two === '/*') this.#comment(/\*\/|$/g, 2);
    else if (one === "'" || one === '"') this.#quoted(one);
    else if (one === '`') this.#template();
    else if (one === '}' && this.#templates.at(-1) === this.#depth) this.#template();
    else if (one === '/' && this.#mayBePattern()) this.#pattern();
    else this.#plain(one);
  }

  #plain(character: string): void {
    if (character === '{') this.#depth += 1;
    if (character === '}') this.#depth -= 1;
    this.#keep();
  }

  #comment(end: RegExp, extra: number): void {
    end.lastIndex = this.#at + extra;
    const stop = (end.exec(this.#source)?.index ?? this.#source.length) + extra;
    for (; this.#at < stop && this.#at < this.#source.length; this.#at += 1) {
      this.comments[this.#at] = this.#source.charAt(this.#at);
    }
  }

  #quoted(quote: string): void {
    this.#keep();
    while (this.#at < this.#source.length && this.#source.charAt(this.#at) !== '\n') {
      if (this.#source.charAt(this.#at) === quote) return this.#keep();
      this.#skipCharacter();
    }
  }

  /** From a backtick, or from the brace that closes a `${`, to the next `${` or the end. */
  #template(): void {
    if (this.#source.charAt(this.#at) === '}') this.#templates.pop();
    this.#keep();
    while (this.#at < this.#source.length) {
      if (this.#source.charAt(this.#at) === '`') return this.#keep();
      if (this.#source.startsWith('${', this.#at)) {
        this.#templates.push(this.#depth);
        this.#keep();
        return this.#keep();
      }
      this.#skipCharacter();
    }
  }

  #mayBePattern(): boolean {
    const before = this.code.slice(Math.max(0, this.#at - 200), this.#at).join('');
    return BEFORE_PATTERN.test(before.trimEnd());
  }

  #pattern(): void {
    this.#keep();
    let isInClass = false;
    while (this.#at < this.#source.length && this.#source.charAt(this.#at) !== '\n') {
      const character = this.#source.charAt(this.#at);
      if (character === '[') isInClass = true;
      if (character === ']') isInClass = false;
      if (character === '/' && !isInClass) return this.#keep();
      this.#skipCharacter();
    }
  }

  #keep(): void {
    this.code[this.#at] = this.#source.charAt(this.#at);
    this.#at += 1;
  }

  #skipCharacter(): void {
    this.#at += this.#source.charAt(this.#at) === '\\' ? 2 : 1;
  }
}

/** Split by UTF-16 unit, as offsets count: one space for each, newlines kept. */
function blankOf(source: string): string[] {
  return source.replace(/[^\n]/g, ' ').split('');
}

/** The number of the line, from 1, on which the offset lies. */
export function lineAt(source: string, offset: number): number {
  let line = 1;
  for (let at = source.indexOf('\n'); at !== -1 && at < offset; at = source.indexOf('\n', at + 1)) {
    line += 1;
  }
  return line;
}
