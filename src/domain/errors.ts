/** The kinds of errors: refusals are the caller's fault, weather is the provider's. */

/** Refusal codes are part of the interface: scripts test for them. */
export type RefusalCode =
  | 'invalid_lines'
  | 'empty_input'
  | 'input_unreadable'
  | 'input_changed'
  | 'not_enough_room'
  | 'output_not_written'
  | 'unknown_job'
  | 'unknown_key'
  | 'ambiguous_job'
  | 'not_finished'
  | 'no_result'
  | 'already_over'
  | 'idempotency_conflict'
  | 'too_many_chunks'
  | 'too_many_models'
  | 'not_adoptable'
  | 'configuration';

/** The caller asked for something that cannot be done; `message` says the way out. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: RefusalCode;

  constructor(code: RefusalCode, message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * What is certain after a failed provider call:
 * `permanent` it did not happen and will not on a repeat; `transient` it did not happen, a repeat
 * may succeed; `unknown` it may have happened.
 */
export type WeatherKind = 'permanent' | 'transient' | 'unknown';

export interface WeatherDetails {
  readonly kind: WeatherKind;
  /** HTTP status; null where no answer came. */
  readonly status: number | null;
  /** The provider's `error.code`, else the network's (`ECONNRESET` …), else null. */
  readonly code: string | null;
  readonly message: string;
  /** From Retry-After, in milliseconds. */
  readonly retryAfterMs: number | null;
}

/** A provider call failed; the adapter says what is certain, domain/retry.ts decides. */
export class Weather extends Error {
  override readonly name = 'Weather';
  readonly kind: WeatherKind;
  readonly status: number | null;
  readonly code: string | null;
  readonly retryAfterMs: number | null;

  constructor(details: WeatherDetails) {
    super(details.message);
    this.kind = details.kind;
    this.status = details.status;
    this.code = details.code;
    this.retryAfterMs = details.retryAfterMs;
  }
}

/**
 * Something of ours that the journal says is there is missing or unreadable. Nothing that is done
 * again mends it; `message` names it.
 */
export class StoreDamage extends Error {
  override readonly name = 'StoreDamage';
  readonly code = 'store_damaged';
}

/** Crashes where an invariant of ours does not hold: the journal survives, the sweep resumes. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`broken invariant: ${message}`);
}
