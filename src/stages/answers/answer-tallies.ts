/** Sums over answers: how many of each class, and tokens by model. */

import type { AnswerClass, AnswerKind, ClassCount, ModelUsage } from '../../domain/answer.ts';

/** The tokens of one answer. */
export interface AnswerTokens {
  readonly input: number;
  readonly output: number;
  readonly total: number;
  readonly cached: number;
  readonly reasoning: number;
}

/** Counts answers by class. Where there are too many classes, the rest counts as `other`. */
export class ClassTally {
  readonly #counts = new Map<string, { known: AnswerClass; count: number }>();
  readonly success: AnswerClass = { kind: 'success', class: 'ok' };

  /** The class under which the answer was counted. */
  add(answer: AnswerClass, maxClasses = Infinity): AnswerClass {
    const key = `${answer.kind} ${answer.class}`;
    const counted = this.#counts.get(key);
    if (counted !== undefined) {
      counted.count += 1;
      return counted.known;
    }
    if (this.#counts.size >= maxClasses && answer.class !== 'other') {
      return this.add({ kind: answer.kind, class: 'other' });
    }
    this.#counts.set(key, { known: answer, count: 1 });
    return answer;
  }

  kinds(): Record<AnswerKind, number> {
    const kinds = { success: 0, final: 0, again: 0, quota: 0 };
    for (const { known, count } of this.#counts.values()) kinds[known.kind] += count;
    return kinds;
  }

  /** The most frequent first; equals by name, so that the order does not depend on the input's. */
  list(): ClassCount[] {
    return [...this.#counts.values()]
      .map(({ known, count }) => ({ ...known, count }))
      .toSorted((a, b) => b.count - a.count || compareText(a.class, b.class));
  }
}

/** Sums tokens by model. */
export class UsageTally {
  readonly #models = new Map<string, Sums>();

  add(model: string, tokens: AnswerTokens): void {
    const sums = this.#models.get(model) ?? new Sums();
    if (sums.answers === 0) this.#models.set(model, sums);
    sums.answers += 1;
    sums.inputTokens += tokens.input;
    sums.outputTokens += tokens.output;
    sums.totalTokens += tokens.total;
    sums.cachedTokens += tokens.cached;
    sums.reasoningTokens += tokens.reasoning;
  }

  /** By name. */
  list(): ModelUsage[] {
    return [...this.#models]
      .map(([model, sums]) => ({ model, ...sums }))
      .toSorted((a, b) => compareText(a.model, b.model));
  }
}

class Sums {
  answers = 0;
  inputTokens = 0;
  outputTokens = 0;
  totalTokens = 0;
  cachedTokens = 0;
  reasoningTokens = 0;
}

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
