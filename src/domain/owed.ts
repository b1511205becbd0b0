/** Which step a state still needs: derived, never stored, so nothing can be forgotten. */

import type { ChunkState } from './chunk.ts';
import type { JobState } from './job.ts';

export type JobStep = 'plan' | 'withdraw' | 'spread' | 'merge' | 'clean';

export type ChunkStep =
  | 'upload'
  | 'submit'
  | 'adopt'
  | 'abandon'
  | 'poll'
  | 'collect'
  | 'collect_strays'
  | 'settle';

export interface Owed<Step> {
  readonly step: Step;
  /** How long after its event the step is due, in milliseconds. */
  readonly delayMs: number;
}

/** The step that the job's own stream owes; null: none. `merge` also waits for every chunk. */
export function owedByJob(state: JobState): Owed<JobStep> | null {
  switch (state.status) {
    case 'created':
      return now(state.intent.kind === 'cancel' ? 'withdraw' : 'plan');
    case 'planned':
      return now(state.intent.revision > state.spreadRevision ? 'spread' : 'merge');
    case 'merged':
      return now('clean');
    case 'refused':
    case 'done':
      return null;
  }
}

/** The step that the chunk owes; null where it is settled or held. */
export function owedByChunk(state: ChunkState): Owed<ChunkStep> | null {
  switch (state.status) {
    case 'waiting':
      // What a stray has answered must not be sent again.
      if (state.strays.length > 0) return now('collect_strays');
      return state.intent.kind === 'hold' ? null : { step: 'upload', delayMs: state.pauseMs };
    case 'uploaded':
      return state.intent.kind === 'hold' ? null : { step: 'submit', delayMs: state.pauseMs };
    case 'submitting':
      return now('adopt');
    case 'abandoning':
      return now('abandon');
    case 'submitted':
      return now('poll');
    case 'ended':
      return now('collect');
    case 'settling':
      return now(state.strays.length > 0 ? 'collect_strays' : 'settle');
    case 'settled':
      return null;
  }
}

/** Whether the chunk keeps the slot that it has: what is held before its create gives it away. */
export function holdsSlot(state: ChunkState): boolean {
  return needsSlot(state) || (state.status === 'uploaded' && state.intent.kind !== 'hold');
}

/** Whether the chunk has, or may have, a batch at the provider, which takes a slot by itself. */
export function needsSlot({ status }: ChunkState): boolean {
  return status === 'submitting' || status === 'abandoning' || status === 'submitted';
}

function now<Step>(step: Step): Owed<Step> {
  return { step, delayMs: 0 };
}
