/** The key: asked for before anything else by commands that cannot do without. */

import type { Config } from '../../config/load.ts';
import { isLoopback } from '../../config/providers.ts';
import { Refusal } from '../domain/errors.ts';

/** Refuses where there is none; servers on this machine ask for none. */
export function requireKey(config: Config): void {
  if (config.OPENAI_API_KEY !== undefined || isLoopback(config.OPENAI_BASE_URL)) return;
  throw new Refusal(
    'configuration',
    'OPENAI_API_KEY is not set. Export it, write it to .env, or try everything for nothing: ' +
      'batchwright simulate shows how.',
  );
}
