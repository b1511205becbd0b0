/** Asks before money is spent: only where a person sits at the terminal. */

import { createInterface } from 'node:readline/promises';
import type { Config } from '../../config/load.ts';
import { isLoopback } from '../../config/providers.ts';
import type { Terminal } from './terminal.ts';

/** True without a question where nobody could answer it, or nothing is paid. */
export async function confirmSpending(config: Config, terminal: Terminal): Promise<boolean> {
  const baseUrl = config.OPENAI_BASE_URL;
  if (!terminal.isInteractive || !process.stdin.isTTY || isLoopback(baseUrl)) return true;
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await prompt.question(`Send to ${new URL(baseUrl).host} now? [y/N] `);
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    prompt.close();
  }
}
