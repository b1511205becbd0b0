/** Time: wall time for people and providers, monotonic time for every wait and deadline. */
export interface Clock {
  /** Milliseconds since 1970, may jump. */
  wallMs(): number;
  /** Milliseconds since some moment of this process, never jumps back. */
  monotonicMs(): number;
  /** Resolves after the time has passed, or at once when the signal is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}
