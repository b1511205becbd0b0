/** Small programs of test/support, run in processes of their own. */

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import { onTestFinished } from 'vitest';

/** Runs the program and resolves to its output; rejects where it does not end well. */
export async function runInProcess(program: string, args: readonly string[]): Promise<string> {
  const child = startProcess(program, args);
  let output = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  const [exitCode] = (await once(child, 'close')) as [number | null];
  if (exitCode !== 0) throw new Error(`${program} ended with ${exitCode}: ${output}`);
  return output;
}

/** Starts the program, its output piped; it does not outlive the running test. */
export function startProcess(program: string, args: readonly string[]): ChildProcess {
  const path = fileURLToPath(new URL(program, import.meta.url));
  const child = spawn(process.execPath, [path, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}
