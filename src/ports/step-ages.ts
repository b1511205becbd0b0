/**
 * How long owed steps have waited, as the last sweep of any process saw it: volatile, for people
 * and metrics only.
 */

/** By the step's name: the age of the oldest one that is owed and not done, in milliseconds. */
export type StepAges = Readonly<Record<string, number>>;

export interface SharedStepAges {
  /** What a sweep has just seen; replaces what was told before. */
  tell(ages: StepAges): Promise<void>;

  /**
   * The ages as they are now: what nobody has swept since grows older. Null where no sweep has
   * told of any, or it was lost.
   */
  now(): Promise<StepAges | null>;
}
