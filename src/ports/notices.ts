/** What operators are told while steps run. Never holds keys, prompts or answers. */

import type { NoticeCode, NoticeLevel } from '../domain/alert.ts';
import type { ChunkId, JobId } from '../domain/ids.ts';

export interface Notice {
  /** `alert`: somebody should look; the job goes on as far as it safely can. */
  readonly level: NoticeLevel;
  /** Stable, for counting; domain/alert.ts says what each means. */
  readonly code: NoticeCode;
  readonly message: string;
  readonly job: JobId | null;
  readonly chunk: ChunkId | null;
}

export interface Notices {
  tell(notice: Notice): void;
}
