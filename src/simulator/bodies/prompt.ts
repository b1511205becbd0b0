/** What a body is made from, and what making it gives. */

import type { Draws } from '../random.ts';

export type RequestBody = Readonly<Record<string, unknown>>;

/** What a body is made from. */
export interface Prompt {
  readonly body: RequestBody;
  readonly model: string;
  readonly inputTokens: number;
  readonly draws: Draws;
  /** 32 hexadecimal digits for ids. */
  readonly id: string;
  /** Unix seconds; the same on every run. */
  readonly createdAt: number;
}

export interface Made {
  readonly body: Readonly<Record<string, unknown>>;
  readonly outputTokens: number;
}
