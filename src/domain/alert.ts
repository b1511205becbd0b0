/** Everything that operators are told while jobs run: each code once, with what to do about it. */

import type { ChunkId } from './ids.ts';
import { parseChunkId } from './ids.ts';

export type NoticeLevel = 'info' | 'warning' | 'alert';

export interface NoticeMeaning {
  /** The usual one. */
  readonly level: NoticeLevel;
  readonly means: string;
  readonly todo: string;
  /**
   * Of an alert: it is over when it was not told again for so many minutes, or when its stream
   * has moved on; infinite: only then. Null: it tells of something that stays true, and goes with
   * its job.
   */
  readonly fadesMinutes: number | null;
}

const UNTIL_IT_MOVES = Number.POSITIVE_INFINITY;

/** Every code that is ever told; docs/failures.md lists the same. */
export const NOTICES = {
  job_idle: alert(
    'Something of the job is due, but nobody has done it for two sweeps.',
    'See that a worker (or `run`) is alive and that `doctor` finds Redis and the provider well.',
    150,
  ),
  batch_stuck: alert(
    'A batch has stayed in one status longer than a healthy one does.',
    'Wait, or cancel it at the provider: what it answered is kept and the rest goes again.',
    150,
  ),
  output_expiring: alert(
    'Answers of a batch are not collected, and the provider deletes them soon.',
    'Run or resume the job at once, with a key that sees the batch and with room on the disk.',
    150,
  ),
  disk_full: alert(
    'The data directory has no room left. Work waits.',
    'Make room (`batchwright prune`); the work goes on by itself.',
    150,
  ),
  disk_read_only: alert(
    'The data directory is read-only. Work waits.',
    'Make it writable; the work goes on by itself.',
    150,
  ),
  disk_forbidden: alert(
    'This user may not write to the data directory. Work waits.',
    'Give it back to its owner; the work goes on by itself.',
    150,
  ),
  disk_failing: alert(
    'The disk of the data directory answers with errors. Work waits.',
    'See to the disk; the work goes on by itself.',
    150,
  ),
  store_damaged: alert(
    'Something that the journal names is missing or damaged in the data directory.',
    'See what `batchwright recover` says; put it back from a backup and the job goes on by itself.',
    150,
  ),
  provider_unreachable: alert(
    'The same call to the provider has failed for a quarter of an hour.',
    'See the provider’s status page and the network; the work goes on by itself.',
    45,
  ),
  batch_missing: alert(
    'The provider does not find a batch that it had made.',
    'Check that key, organisation and project are those that made it; `recover --provider` ' +
      'compares. If it is gone for good, cancel the job and send what failed again.',
    45,
  ),
  output_missing: alert(
    'A batch says that it ended with answers, but names no output file.',
    'Wait; if it lasts, ask the provider for the output file of the batch.',
    360,
  ),
  answers_incomplete: alert(
    'Files of a batch stayed lost, cut or unreadable after several fetches.',
    'See the error lines of the result (`batchwright errors`) and ask the provider for the files.',
    null,
  ),
  stray_batch: alert(
    'A batch turned up for a create that had been given up, or a second one over the same input ' +
      'file; it is cancelled, its answers are used.',
    'Nothing; the provider may have charged some requests twice: compare the bill.',
    null,
  ),
  batch_of_another_create: alert(
    'A batch that was taken over names another create of the same input file.',
    'See that no copy of the data directory is in use; the batch itself is used and paid once.',
    null,
  ),
  file_unseen: alert(
    'The input file of a create without an answer is not visible, so nothing is created anew.',
    'Use the key, organisation and project with which the job was begun, or cancel the job.',
    45,
  ),
  file_not_deleted: alert(
    'The input file of a lost create cannot be deleted, so nothing is created anew.',
    'Delete the file at the provider by hand, or allow the key to delete files.',
    45,
  ),
  unauthorized: alert(
    'The provider refuses the key.',
    'Check OPENAI_API_KEY, the organisation and the project, then run or resume the job.',
    45,
  ),
  insufficient_quota: alert(
    'The account has no credit left.',
    'Add credit to the account, then run or resume the job.',
    45,
  ),
  provider_refused: alert(
    'The provider refuses a call for good.',
    'Mend what its message names, then run or resume the job, or cancel the job.',
    45,
  ),
  max_errors: alert(
    'More settled lines have failed than the job’s bound allows.',
    'See `batchwright errors`; raise --max-errors or cancel the job.',
    UNTIL_IT_MOVES,
  ),
  callback_failed: alert(
    'A day of tries to tell a job’s submitter of its end has failed; the job is not affected.',
    'See that the receiver works and is reachable, and look at the job itself: its result is here.',
    null,
  ),
  batch_adopted: warning(
    'A batch was found for a create that got no answer, and taken over.',
    'Nothing: this is how a lost answer is mended.',
  ),
  files_left: warning(
    'Files could not be deleted at the provider; they expire by themselves.',
    'Delete them by hand where they must go at once.',
  ),
  sweep_failed: warning(
    'A sweep for lost bells failed; the next one comes by itself.',
    'Where it lasts: see that Redis and the data directory work (`batchwright doctor`).',
  ),
  step_failed: warning(
    'A step failed in a way that no rule covers; it is tried again.',
    'Where it lasts: read the message; it names the object or the call.',
  ),
  callback_unsigned: warning(
    'Callbacks wait, and this process has no secret to sign them with.',
    'Give the workers the BATCHWRIGHT_WEBHOOK_SECRET of the service.',
  ),
  storage_recovered: warning('The data directory can be used again; work goes on.', 'Nothing.'),
  not_created: { ...told('info'), means: 'A create was refused or not sent; no batch exists.' },
  redis: {
    ...told('info'),
    means: 'What the Redis that is used had to say; a warning where it does not do its work.',
  },
} as const satisfies Readonly<Record<string, NoticeMeaning>>;

export type NoticeCode = keyof typeof NOTICES;

/** An alert as it is kept beside its job. */
export interface Alert {
  readonly code: NoticeCode;
  readonly message: string;
  /** Wall time, for people. */
  readonly atMs: number;
  /** Null: about the job as a whole. */
  readonly chunk: ChunkId | null;
  /** Of the chunk's stream, or the job's, when it was told. */
  readonly version: number;
}

/**
 * An alert from the text that was kept of it. Null where it is none that this program knows: it
 * may be cut, or another version's.
 */
export function parseAlert(text: string): Alert | null {
  const kept = parsed(text);
  if (typeof kept !== 'object' || kept === null) return null;
  const { code, message, atMs, chunk, version } = kept as Record<string, unknown>;
  if (typeof code !== 'string' || !isNoticeCode(code)) return null;
  if (typeof message !== 'string') return null;
  if (!Number.isSafeInteger(atMs) || !Number.isSafeInteger(version)) return null;
  const about = typeof chunk === 'string' ? parseChunkId(chunk) : null;
  if (about === null && chunk !== null) return null;
  return { code, message, atMs: atMs as number, chunk: about, version: version as number };
}

/** What the code means. */
export function meaningOf(code: NoticeCode): NoticeMeaning {
  return NOTICES[code];
}

/** Whether the alert still speaks of its stream, which is at the version now. */
export function isCurrent(alerted: Alert, version: number): boolean {
  return alerted.version === version || meaningOf(alerted.code).fadesMinutes === null;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function isNoticeCode(code: string): code is NoticeCode {
  return Object.hasOwn(NOTICES, code);
}

function alert(means: string, todo: string, fadesMinutes: number | null): NoticeMeaning {
  return { level: 'alert', means, todo, fadesMinutes };
}

function warning(means: string, todo: string): NoticeMeaning {
  return { ...told('warning'), means, todo };
}

function told(level: NoticeLevel) {
  return { level, todo: 'Nothing.', fadesMinutes: null };
}
