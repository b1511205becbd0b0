/** Sums over answers: how many of each class, and tokens by model. */

import { SUCCESS } from '../../domain/answer.ts';
import type {
  AnswerClass,
  AnswerKind,
  ClassCounts,
  TokenUsage,
  UsageByModel,
} from '../../domain/answer.ts';

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
  /** Failures; successes have one class and a counter of their own, for they are many. */
  readonly #failures = new Map<string, { known: AnswerClass; count: number }>();
  #successes = 0;

  /** The class under which the answer was counted. */
  add(answer: AnswerClass, maxClasses = Infinity): AnswerClass {
    if (answer.kind === 'success') {
      this.#successes += 1;
      return SUCCESS;
    }
    const key = `${answer.kind} ${answer.class}`;
    const counted = this.#failures.get(key);
    if (counted !== undefined) {
      counted.count += 1;
      return counted.known;
    }
    if (this.#failures.size >= maxClasses && answer.class !== 'other') {
      return this.add({ kind: answer.kind, class: 'other' }, maxClasses);
    }
    this.#failures.set(key, { known: answer, count: 1 });
    return answer;
  }

  kinds(): Record<AnswerKind, number> {
    const kinds = { success: this.#successes, final: 0, again: 0, quota: 0 };
    for (const { known, count } of this.#failures.values()) kinds[known.kind] += count;
    return kinds;
  }

  /** By class, the names in order. */
  counts(): ClassCounts {
    const sums = new Map<string, number>();
    if (this.#successes > 0) sums.set(SUCCESS.class, this.#successes);
    for (const { known, count } of this.#failures.values()) {
      sums.set(known.class, (sums.get(known.class) ?? 0) + count);
    }
    return inOrder(sums);
  }
}

/** Sums tokens by model. */
export class UsageTally {
  readonly #models = new Map<string, Sums>();

  add(model: string, tokens: AnswerTokens): void {
    let sums = this.#models.get(model);
    if (sums === undefined) {
      sums = { ...NOTHING };
      this.#models.set(model, sums);
    }
    sums.answers += 1;
    sums.inputTokens += tokens.input;
    sums.outputTokens += tokens.output;
    sums.totalTokens += tokens.total;
    sums.cachedTokens += tokens.cached;
    sums.reasoningTokens += tokens.reasoning;
  }

  /** By model, the names in order. */
  sums(): UsageByModel {
    return inOrder(this.#models);
  }
}

type Sums = { -readonly [Field in keyof TokenUsage]: number };

const NOTHING: TokenUsage = {
  answers: 0,
  inputTokens: 0,
  outputTokens: 0,
  totalTokens: 0,
  cachedTokens: 0,
  reasoningTokens: 0,
};

/** The names come from a provider: `fromEntries` makes even `__proto__` a property like others. */
function inOrder<Value>(map: Map<string, Value>): Record<string, Value> {
  return Object.fromEntries([...map].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
