/** The output and error file of a batch that ended: out of order, and as odd as seeds draw it. */

import type { Random } from '../random.ts';
import type { Rates } from '../profile.ts';
import type { Batch, Final } from './batch.ts';
import { stranger, unfinished } from './execution.ts';
import type { Ledger } from './ledger.ts';

export interface AnswerFiles {
  readonly output: Buffer | null;
  readonly errors: Buffer | null;
}

/** Contents by what the batch answered; null: there is no such file. */
export function answerFiles(
  batch: Batch,
  end: Final,
  rates: Rates,
  ledger: Ledger,
  random: Random,
): AnswerFiles {
  const answers = [...batch.answers];
  const output = answers.filter(([, { ok }]) => ok).map(([id, { line }]) => ({ id, line }));
  const errors = answers.filter(([, { ok }]) => !ok).map(([, { line }]) => line);
  const hasErrors = end === 'completed' || random.chance(0.7);
  if (end === 'expired' || end === 'cancelled') {
    const code = random.chance(0.8) ? `batch_${end}` : 'server_error';
    for (const id of batch.customIds) {
      if (!batch.answers.has(id) && hasErrors) errors.push(unfinished(id, code));
    }
  }
  const kept = output.filter(({ id }) => {
    if (!random.chance(rates.gap)) return true;
    ledger.withhold(id);
    batch.isShort = true;
    return false;
  });
  const lines = kept.map(({ line }) => line);
  if (random.chance(rates.oddLines)) lines.push(stranger(random));
  if (random.chance(rates.oddLines)) lines.push(...lines.slice(0, 1));
  return {
    output: output.length === 0 ? null : fileOf(lines, random),
    errors: errors.length === 0 || !hasErrors ? null : fileOf(errors, random),
  };
}

function fileOf(lines: readonly string[], random: Random): Buffer {
  return Buffer.from(
    random
      .shuffled(lines)
      .map((line) => `${line}\n`)
      .join(''),
  );
}
