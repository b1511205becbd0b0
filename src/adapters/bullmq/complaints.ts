/** Passes on the trouble that BullMQ reports by itself, without its repetitions. */

const SAME_COMPLAINT_PAUSE_MS = 60_000;

/**
 * A listener for 'error' events. Lost connections are left out: their owner tells of them, and
 * every connection of every worker reports them at every try.
 */
export function complaintsTo(tell: (error: Error) => void): (error: Error) => void {
  let last = { message: '', atMs: 0 };
  return (error) => {
    if (isLostConnection(error)) return;
    const nowMs = performance.now();
    const isFresh = nowMs - last.atMs < SAME_COMPLAINT_PAUSE_MS;
    if (isFresh && error.message === last.message) return;
    last = { message: error.message, atMs: nowMs };
    tell(error);
  };
}

/** Errors of sockets name their system call; the other one is ioredis' word for the rest. */
function isLostConnection(error: Error): boolean {
  return 'syscall' in error || error.message === 'Connection is closed.';
}
