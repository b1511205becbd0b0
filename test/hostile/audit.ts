/** Whether a run got out of a hostile server all that could be got, and paid for nothing twice. */

import { idIn } from './answers.ts';
import { handedOut, isKnownIncomplete } from './incomplete.ts';
import type { Batch, Execution, Ledger } from './ledger.ts';
import type { InputLine } from './request-set.ts';

interface OwnError {
  readonly custom_id: string | null;
  readonly response: { readonly status_code: number } | null;
  readonly error: { readonly code: string; readonly line: number } | null;
}

/** Batches of one chunk that may execute in a case. */
export const MAX_ATTEMPTS = 8;

/** What is wrong, in sentences; empty where all is well. `result` is null where there is none. */
export function wrongWith(
  result: string | null,
  lines: readonly InputLine[],
  ledger: Ledger,
): string[] {
  if (result === null) return ['there is no result'];
  const found = result.split('\n');
  if (found.pop() !== '') return ['the result does not end with a newline'];
  if (found.length !== lines.length) {
    return [`${found.length} answer lines for ${lines.length} request lines`];
  }
  return [
    ...lines.flatMap((line, index) => wrongAnswer(found[index] ?? '', line, ledger)),
    ...lines.flatMap(({ customId }) => (customId === null ? [] : billedTwice(customId, ledger))),
    ...wrongUploads(lines, ledger),
    ...extraBatches(ledger),
    ...filesLeft(ledger),
  ];
}

function wrongAnswer(found: string, line: InputLine, ledger: Ledger): string[] {
  const parsed = JSON.parse(found) as OwnError;
  const { customId } = line;
  const own = parsed.error?.line !== undefined;
  if (customId === null) return own ? [] : [`a bad line is answered with ${found}`];
  const name = JSON.stringify(customId);
  if (parsed.custom_id !== customId) return [`${name} is answered with ${found}`];
  const wanted = firstSuccesses(customId, ledger);
  if (wanted.length > 0) {
    return wanted.includes(found) ? [] : [`${name} has not the success that was written: ${found}`];
  }
  if (!own) {
    const written = ledger.executions(customId).some((one) => one.line === found);
    if (!written) return [`nobody wrote ${found}`];
    if (!mayPass(parsed)) return [];
    const ran = batchesThatRan(customId, ledger);
    return ran >= MAX_ATTEMPTS ? [] : [`${name} has ${found} after ${ran} batches only`];
  }
  return unfounded(parsed.error?.code ?? '', customId, ledger).map((why) => `${name}: ${why}`);
}

/** What the provider answers may pass, so it is no answer while another batch may be made. */
function mayPass({ response }: OwnError): boolean {
  const status = response?.status_code ?? 0;
  return status === 0 || status === 429 || status >= 500;
}

/**
 * The first success of each batch that the client could know of. A twin of the middlebox whose
 * id it never saw is nobody's to collect.
 */
function firstSuccesses(customId: string, ledger: Ledger): string[] {
  return ledger.batches
    .filter((batch) => !isUnknownTwin(batch, ledger))
    .map((batch) => batch.successes.get(customId)?.find((one) => isWithinReach(one, batch))?.text)
    .filter((line) => line !== undefined);
}

/** An error file that is named late, and of which no count speaks, is nobody's to wait for. */
function isWithinReach({ inErrors }: { inErrors: boolean }, batch: Batch): boolean {
  return !inErrors || batch.errorsNamed;
}

/** Of two batches over one file, the one that was never asked for by its id. */
function isUnknownTwin(batch: Batch, ledger: Ledger): boolean {
  const isOneOfTwo = ledger.batches.some(
    (other) => other !== batch && other.inputFileId === batch.inputFileId,
  );
  return isOneOfTwo && batch.looks === 0;
}

/** Why an error line of the program's own is not justified. */
function unfounded(code: string, customId: string, ledger: Ledger): string[] {
  if (code === 'attempts_exhausted') {
    const ran = batchesThatRan(customId, ledger);
    return ran >= MAX_ATTEMPTS ? [] : [`given up after ${ran} batches`];
  }
  if (code === 'answer_unreadable') {
    const isSpoilt = ledger.executions(customId).some((one) => one.line !== null && !one.readable);
    return isSpoilt ? [] : ['said to be unreadable, but no line of it was spoilt'];
  }
  const said = batchesWith(customId, ledger).some((batch) =>
    batch.validation.some((error) => error.code === code),
  );
  return said ? [] : [`answered with ${code}, which the server did not say`];
}

function batchesThatRan(customId: string, ledger: Ledger): number {
  return batchesWith(customId, ledger).filter((batch) => batch.status !== 'failed').length;
}

function batchesWith(customId: string, ledger: Ledger): Batch[] {
  return ledger.batches.filter((batch) => batch.lines.some((line) => idIn(line) === customId));
}

function billedTwice(customId: string, ledger: Ledger): string[] {
  const billed = ledger.executions(customId).filter((one) => one.billed);
  const files = new Set(billed.filter((one) => !isExcused(one, ledger)).map(fileOf));
  if (files.size <= 1) return [];
  const name = JSON.stringify(customId);
  return [`${name} is billed by ${billed.map((one) => one.batch.id).join(', ')}`];
}

/**
 * What the server's own mischief forces: it took money and kept or spoilt the answer, or put it
 * where nobody was told to look, so asking again is all that can be done; or a middlebox made two
 * of one create, and both ran.
 */
function isExcused(one: Execution, ledger: Ledger): boolean {
  const written = one.batch.successes.get(one.customId);
  const isHidden = written?.every((line) => !isWithinReach(line, one.batch)) ?? false;
  return !one.readable || isHidden || isUnknownTwin(one.batch, ledger);
}

/** Twins over one file count once: nobody asked for the second. */
function fileOf(one: Execution): string {
  return one.batch.inputFileId;
}

function wrongUploads(lines: readonly InputLine[], ledger: Ledger): string[] {
  const sent = new Set(lines.filter((line) => line.customId !== null).map((line) => line.text));
  return ledger.batches.flatMap((batch) =>
    batch.lines.filter((line) => !sent.has(line)).map((line) => `not as it was given: ${line}`),
  );
}

function extraBatches(ledger: Ledger): string[] {
  const own = ledger.batches.filter((batch) => !batch.isTwin);
  const byFile = Map.groupBy(own, (batch) => batch.inputFileId);
  return [...byFile]
    .filter(([, batches]) => batches.length > 1)
    .map(([file, batches]) => `${file} has ${batches.length} batches`);
}

/**
 * Uploads, and the answers of every batch whose end the client came to see; not those that are not
 * all here: they are kept for people to look at.
 */
function filesLeft(ledger: Ledger): string[] {
  const unseen = ledger.batches.filter((batch) => isUnknownTwin(batch, ledger));
  const unnamed = ledger.batches.filter((batch) => !batch.errorsNamed);
  const unknown = new Set([
    ...unseen.flatMap((batch) => [batch.output?.id, batch.errors?.id]),
    ...unnamed.map((batch) => batch.errors?.id),
    ...ledger.batches.filter(hasNoSuccess).map((batch) => batch.output?.id),
  ]);
  const incomplete = ledger.batches.filter(isKnownIncomplete);
  const kept = new Set(incomplete.flatMap((batch) => [batch.output?.id, batch.errors?.id]));
  const lost = incomplete.flatMap(handedOut).filter((file) => file.deleted);
  return [
    ...lost.map((file) => `${file.id} is deleted, though what it belongs to is not all here`),
    ...[...ledger.files.values()]
      .filter((file) => !file.deleted && !unknown.has(file.id) && !kept.has(file.id))
      .map((file) => `${file.id} (${file.purpose}) is left at the server`),
  ];
}

/** Its counts say so at once, so its output (of strangers, or empty) may be named too late. */
function hasNoSuccess({ executed }: Batch): boolean {
  return executed.every(({ success }) => !success);
}
