/** Exit codes: scripts branch on them, so they never change. */
export const EXIT = {
  ok: 0,
  internal: 1,
  usage: 2,
  failedLines: 3,
  refused: 4,
  detached: 5,
  cancelled: 6,
  forced: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** A command's action says how it went. */
export type Finish = (code: ExitCode) => void;
