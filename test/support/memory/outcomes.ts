/** What is known of each line of a chunk, folded naively from its attempts. */

import { classifyAnswer } from '../../../src/domain/answer.ts';
import type { AnswerFacts } from '../../../src/domain/answer.ts';
import type { ValidationError } from '../../../src/domain/chunk.ts';

/** The reference planner's index entry. */
export interface IndexedLine {
  readonly line: number;
  readonly id: string;
  readonly start: number;
  readonly end: number;
  readonly rejected: boolean;
}

export interface Outcome {
  readonly line: IndexedLine;
  kind: 'none' | 'again' | 'final' | 'success';
  quota: boolean;
  answer: string | null;
  refusal: string | null;
}

export type FoldedAttempt =
  | { readonly kind: 'answers'; readonly lines: readonly string[] }
  | {
      readonly kind: 'invalid';
      readonly errors: readonly ValidationError[];
      readonly sent?: number;
    };

type Reader = (line: string) => { id: string; facts: AnswerFacts } | null;

const RANKS = { none: 0, again: 1, final: 2, success: 3 };

/** Folds the attempts in their order; a better answer wins, of equal ones the first. */
export function foldOutcomes(
  index: readonly IndexedLine[],
  attempts: readonly FoldedAttempt[],
  read: Reader,
) {
  const outcomes = index.map((line): Outcome => ({
    line,
    kind: 'none',
    quota: false,
    answer: null,
    refusal: null,
  }));
  const byId = new Map(
    outcomes.filter(({ line }) => !line.rejected).map((one) => [one.line.id, one]),
  );
  const tally = { strangers: 0, unparsable: 0, duplicates: 0 };
  const pendingBefore: Outcome[][] = [];
  for (const attempt of attempts) {
    pendingBefore.push([...byId.values()].filter(isPending));
    if (attempt.kind === 'answers') {
      for (const line of attempt.lines) takeAnswer(line, read(line), byId, tally);
    } else {
      refuseLines(
        attempt.errors,
        pendingBefore.findLast((list) => list.length === attempt.sent),
      );
    }
  }
  return { outcomes, ...tally };
}

function isPending({ kind }: Outcome): boolean {
  return kind === 'none' || kind === 'again';
}

function takeAnswer(
  line: string,
  answer: ReturnType<Reader>,
  byId: ReadonlyMap<string, Outcome>,
  tally: { strangers: number; unparsable: number; duplicates: number },
): void {
  if (answer === null) {
    tally.unparsable += 1;
    return;
  }
  const outcome = byId.get(answer.id);
  if (outcome === undefined) {
    tally.strangers += 1;
    return;
  }
  const { kind } = classifyAnswer(answer.facts);
  const rank = RANKS[kind === 'quota' ? 'again' : kind];
  if (!isPending(outcome)) tally.duplicates += 1;
  if (rank < RANKS[outcome.kind] || (rank === RANKS[outcome.kind] && rank >= RANKS.final)) return;
  outcome.kind = kind === 'quota' ? 'again' : kind;
  outcome.quota = kind === 'quota';
  outcome.answer = rank >= RANKS.final ? line : null;
  outcome.refusal = null;
}

function refuseLines(errors: readonly ValidationError[], sent: readonly Outcome[] = []): void {
  for (const { code, line } of errors) {
    const outcome = line === null || code === 'token_limit_exceeded' ? undefined : sent[line - 1];
    if (outcome === undefined || !isPending(outcome)) continue;
    outcome.kind = 'final';
    outcome.refusal = code;
  }
}
