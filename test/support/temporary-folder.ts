/** Folders for tests: each test gets one of its own, which is removed afterwards. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { onTestFinished } from 'vitest';

/** A new empty folder below `parent`, removed when the running test is finished. */
export async function temporaryFolder(parent: string = tmpdir()): Promise<string> {
  const path = await mkdtemp(join(parent, 'batchwright-test-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}
