/** Every row of the matrix that runs here, in the order of the table. */

import type { Row } from '../row.ts';
import { ANSWER_ROWS } from './answers.ts';
import { BATCH_ROWS } from './batches.ts';
import { CALL_ROWS } from './calls.ts';
import { MACHINE_ROWS } from './machine.ts';
import { WIRE_ROWS } from './wire.ts';

export const ROWS: readonly Row[] = [
  ...CALL_ROWS,
  ...WIRE_ROWS,
  ...BATCH_ROWS,
  ...ANSWER_ROWS,
  ...MACHINE_ROWS,
];
