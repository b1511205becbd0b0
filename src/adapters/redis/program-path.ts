/** Where the programs that this room starts are. */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The absolute path of the first of these programs that is on the PATH; null: none is. */
export async function locateProgram(names: readonly string[]): Promise<string | null> {
  const script = 'for name; do command -v "$name" && exit 0; done; exit 1';
  const found = await run('/bin/sh', ['-c', script, 'sh', ...names]).then(
    (result) => result.stdout.trim(),
    () => '',
  );
  return found.startsWith('/') ? found : null;
}
