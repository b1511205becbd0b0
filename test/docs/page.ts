/** Pages of the documentation: their text, their blocks, and their commands as a script. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';

/** What the pages say where a test has an address of its own. */
const PAGE_URL = 'http://127.0.0.1:8080';

export interface Page {
  readonly text: string;
  /** The blocks of a language, in their order. */
  readonly blocks: (language: string) => string[];
}

/** A page by its path in the repository. */
export async function readPage(path: string): Promise<Page> {
  const page = await readFile(new URL(`../../${path}`, import.meta.url), 'utf8');
  return {
    text: page,
    blocks: (language) =>
      [...page.matchAll(/^```(\S*)\n(.*?)^```$/gms)]
        .filter(([, found]) => found === language)
        .map(([, , block = '']) => block),
  };
}

export interface ShellRun {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the commands one after another in one shell, which ends at the first that fails. */
export async function runCommands(
  blocks: readonly string[],
  { folder, url }: { folder: string; url: string },
): Promise<ShellRun> {
  const script = blocks.join('\n').replaceAll(PAGE_URL, url);
  const shell = spawn('bash', ['-euo', 'pipefail', '-c', script], { cwd: folder, stdio: 'pipe' });
  const [stdout, stderr, [code]] = await Promise.all([
    text(shell.stdout),
    text(shell.stderr),
    once(shell, 'close') as Promise<[number | null]>,
  ]);
  return { code, stdout, stderr };
}
