/** Whether what a client has got of a batch is, as it can tell, not all that there must be. */

import { idIn } from './answers.ts';
import type { Batch, StoredFile } from './ledger.ts';

interface Answer {
  readonly custom_id: string;
  readonly response: { readonly status_code: number } | null;
}

/** By what was handed out and what was said of it: what the client made of that is not asked. */
export function isKnownIncomplete(batch: Batch): boolean {
  const files = handedOut(batch);
  if (files.length === 0) return false;
  const lines = files.flatMap(({ content }) => linesIn(content));
  const answers = lines.map(answerIn);
  if (answers.includes(null)) return true;
  if (batch.counted === null) return files.some(({ content }) => !endsWhole(content));
  const asked = new Set(batch.lines.map(idIn));
  const good = new Set<string>();
  let bad = 0;
  for (const answer of answers) {
    if (answer?.response?.status_code !== 200) bad += 1;
    else if (asked.has(answer.custom_id)) good.add(answer.custom_id);
  }
  const { completed, failed } = batch.counted;
  const isErrorFileKnown = batch.errors?.isHandedOut === true;
  return good.size < completed || (isErrorFileKnown && bad < failed);
}

/** The batch's files that a client has got whole. */
export function handedOut({ output, errors }: Batch): StoredFile[] {
  return [output, errors].filter((file) => file !== null).filter((file) => file.isHandedOut);
}

function linesIn(content: Buffer): string[] {
  const text = content.toString().replace(/^\uFEFF/, '');
  return text.split('\n').filter((line) => line.trim() !== '');
}

/** Null: it can be told to be nobody's. */
function answerIn(line: string): Answer | null {
  try {
    const value = JSON.parse(line) as Answer | null;
    return typeof value?.custom_id === 'string' ? value : null;
  } catch {
    return null;
  }
}

function endsWhole(content: Buffer): boolean {
  return content.length === 0 || content.at(-1) === 0x0a;
}
