/** The version of this program, as package.json says it. */

import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export const PROGRAM_VERSION = readVersion();

/** package.json stands one folder up in the clone and two in the built package. */
function readVersion(): string {
  let folder = import.meta.dirname;
  for (let up = 0; up < 3; up += 1) {
    folder = dirname(folder);
    try {
      const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
        version: string;
      };
      return version;
    } catch {
      continue;
    }
  }
  throw new Error('package.json is missing: install batchwright again');
}
