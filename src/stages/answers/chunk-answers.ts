/** A chunk's requests and stored answers as local files: what assessing and settling start from. */

import type { ValidationError } from '../../domain/chunk.ts';

export interface ChunkAnswers {
  readonly linesPath: string;
  readonly idsPath: string;
  readonly requestsPath: string;
  /** In the order in which they were collected. */
  readonly attempts: readonly AttemptAnswers[];
}

export type AttemptAnswers =
  | {
      readonly kind: 'answers';
      readonly attempt: number;
      readonly outputPath: string | null;
      readonly errorPath: string | null;
      /** What checkAnswers wrote of these two files. */
      readonly indexPath: string;
    }
  | {
      /** A batch that failed validation: nothing of it was executed. */
      readonly kind: 'invalid';
      readonly attempt: number;
      /** Lines count from 1 in the file that the attempt uploaded. */
      readonly errors: readonly ValidationError[];
      /**
       * Lines in that file. Without it, the file is taken to have held what was pending before
       * this attempt in the list; that is wrong where a stray was collected after the upload.
       */
      readonly sent?: number;
    };
