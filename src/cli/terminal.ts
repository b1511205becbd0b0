/** What a command says: data on stdout, all else on stderr, colour only where people look. */

import { styleText } from 'node:util';
import { commandLine } from './hint.ts';

type Style = Parameters<typeof styleText>[0];

export interface TerminalOptions {
  readonly quiet: boolean;
  /** Events and answers as JSON on stdout. */
  readonly json: boolean;
  /** As the user named it, for commands to paste; null: the default one. */
  readonly dataDir: string | null;
  /** The service as the user named it; null: by the environment, or none. */
  readonly url: string | null;
}

export class Terminal {
  readonly json: boolean;
  readonly #quiet: boolean;
  readonly #place: readonly string[];
  #barShown = false;

  constructor(options: TerminalOptions) {
    this.json = options.json;
    this.#quiet = options.quiet;
    this.#place = [
      ...(options.dataDir === null ? [] : ['--data-dir', options.dataDir]),
      ...(options.url === null ? [] : ['--url', options.url]),
    ];
  }

  /** Whether a person looks at stderr. */
  get isInteractive(): boolean {
    return process.stderr.isTTY && !this.#quiet && !this.json;
  }

  /** One line of the command's data. */
  data(line: string): void {
    this.#clearBar();
    process.stdout.write(`${line}\n`);
  }

  /** One event for programs; nothing where people read. */
  event(type: string, fields: Readonly<Record<string, unknown>>): void {
    if (this.json) process.stdout.write(`${JSON.stringify({ type, ...fields })}\n`);
  }

  /** One line for people, left out with --quiet or --json. */
  say(line: string): void {
    if (this.#quiet || this.json) return;
    this.#clearBar();
    process.stderr.write(`${line}\n`);
  }

  /** One line that must be seen, --quiet or not. */
  warn(line: string): void {
    this.#clearBar();
    process.stderr.write(`${line}\n`);
  }

  /** Replaces the last line on a terminal; nothing elsewhere. The text has no colours. */
  bar(text: string): void {
    if (!this.isInteractive) return;
    this.#clearBar();
    process.stderr.write(cut(text, this.columns - 1));
    this.#barShown = true;
  }

  /** A command to paste that works on the same data directory, or with the same service. */
  command(...words: readonly string[]): string {
    return commandLine([...words, ...this.#place]);
  }

  /** The width of the terminal in columns. */
  get columns(): number {
    return process.stderr.columns || 80;
  }

  style(style: Style, text: string): string {
    return styleText(style, text, { stream: process.stderr });
  }

  #clearBar(): void {
    if (!this.#barShown) return;
    process.stderr.write('\r\u001B[2K');
    this.#barShown = false;
  }
}

/** 1204331 → `1,204,331`. */
export function grouped(count: number): string {
  return count.toLocaleString('en-US');
}

/** Bytes for people: `1.3 GB`. */
export function size(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 100 ? 0 : 1;
  return `${value.toFixed(digits)} ${units[unit]}`;
}

/** `1 line`, `2 lines`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${grouped(count)} ${count === 1 ? one : many}`;
}

/** Cuts to a width in columns, between characters, and shows that it did. */
function cut(text: string, width: number): string {
  const characters = Array.from(text);
  if (characters.length <= width) return text;
  return `${characters.slice(0, width - 1).join('')}…`;
}
