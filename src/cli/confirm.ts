/** Asks before money is spent: only where a person sits at the terminal. */

import { createInterface } from 'node:readline/promises';
import type { Config } from '../../config/load.ts';
import { isLoopback } from '../../config/providers.ts';
import type { Terminal } from './terminal.ts';

/** Whether somebody sits there who can answer, and sending costs something. */
export function asksBeforeSpending(config: Config, terminal: Terminal): boolean {
  return terminal.isInteractive && process.stdin.isTTY && !isLoopback(config.OPENAI_BASE_URL);
}

/** True without a question where nobody could answer it, or nothing is paid. */
export async function confirmSpending(
  config: Config,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<boolean> {
  if (!asksBeforeSpending(config, terminal)) return true;
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const question = `Send to ${new URL(config.OPENAI_BASE_URL).host} now? [y/N] `;
    const answer = await prompt.question(question, { signal });
    return /^y(es)?$/i.test(answer.trim());
  } catch (error) {
    // Ctrl-C, Ctrl-D or a signal instead of an answer.
    if ((error as Error).name !== 'AbortError') throw error;
    terminal.warn('');
    return false;
  } finally {
    prompt.close();
  }
}
