/** What operators are told while steps run. Never holds keys, prompts or answers. */

import type { ChunkId, JobId } from '../domain/ids.ts';

export interface Notice {
  /** `alert`: somebody should look; the job goes on as far as it safely can. */
  readonly level: 'info' | 'warning' | 'alert';
  /** Stable, for counting: `batch_adopted`, `file_not_deleted` … */
  readonly code: string;
  readonly message: string;
  readonly job: JobId | null;
  readonly chunk: ChunkId | null;
}

export interface Notices {
  tell(notice: Notice): void;
}
