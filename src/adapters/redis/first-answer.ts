/** Waits for the first answer of a Redis that is being opened. */

import type { Redis } from 'ioredis';

import { Refusal } from '../../domain/errors.ts';
import type { Tell } from './news.ts';
import { inWords, needsPerson, RedisTrouble } from './trouble.ts';

/** A wait that is longer is told of. */
const QUIET_MS = 1_000;
/** A server that answers that it is loading is waited for this long. */
const LOADING_TIMEOUT_MS = 30 * 60_000;
const LOADING_PAUSE_MS = 200;

export interface FirstAnswerOptions {
  /** The server's name for people. */
  readonly name: string;
  /** How long a silent server is waited for. */
  readonly timeoutMs: number;
  readonly tell: Tell;
}

/**
 * Resolves when the server has answered a PING over this probe connection. Rejects with a Refusal
 * that says why: at once where only a person can end it, else when the time is over.
 */
export async function firstAnswer(redis: Redis, options: FirstAnswerOptions): Promise<void> {
  const { name, timeoutMs, tell } = options;
  let reason = 'no answer';
  const over = Promise.withResolvers<never>();
  over.promise.catch(() => undefined);
  redis.on('error', (error: Error) => {
    reason = (error as NodeJS.ErrnoException).code ?? error.message;
    const refusal = refusalOf(error);
    if (refusal !== null) over.reject(refusal);
  });
  const giveUp = (): void => {
    const way = 'start it, or correct REDIS_URL, or leave REDIS_URL out for a private server';
    over.reject(new Refusal('configuration', `${name} does not answer (${reason}): ${way}.`));
  };
  let timer = setTimeout(giveUp, timeoutMs);
  const seconds = Math.round(timeoutMs / 1_000);
  const words = () => tell(`Waiting for ${name} (${reason}), up to ${seconds} s …`, 'warning');
  const quiet = setTimeout(words, QUIET_MS);
  const onLoading = (): void => {
    clearTimeout(timer);
    clearTimeout(quiet);
    tell(`${name} is loading its data; waiting for it …`, 'warning');
    timer = setTimeout(giveUp, LOADING_TIMEOUT_MS);
  };
  try {
    await Promise.race([pingUntilLoaded(redis, onLoading), over.promise]);
  } finally {
    clearTimeout(timer);
    clearTimeout(quiet);
  }
}

async function pingUntilLoaded(redis: Redis, onLoading: () => void): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await redis.ping();
      return;
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal !== null) throw refusal;
      const trouble = inWords(error);
      if (!(trouble instanceof RedisTrouble) || trouble.kind !== 'loading') throw error;
      if (tries === 1) onLoading();
    }
    await new Promise((resolve) => setTimeout(resolve, LOADING_PAUSE_MS));
  }
}

function refusalOf(error: unknown): Refusal | null {
  const trouble = inWords(error);
  if (!(trouble instanceof RedisTrouble) || !needsPerson(trouble.kind)) return null;
  return new Refusal('configuration', trouble.message);
}
