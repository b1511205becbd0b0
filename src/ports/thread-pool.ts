/**
 * Runs the long synchronous work (planning, settling, merging) off the event loop.
 *
 * `Tasks` maps a task's name to its function; arguments and results are structured-cloned. A
 * rejected task rejects here with the same name, message and `code`. A thread that dies rejects
 * its task.
 */
export interface ThreadPool<Tasks extends Record<string, (input: never) => unknown>> {
  run<Name extends keyof Tasks & string>(
    task: Name,
    input: Parameters<Tasks[Name]>[0],
  ): Promise<Awaited<ReturnType<Tasks[Name]>>>;
  /** Ends the threads; running tasks are rejected. */
  close(): Promise<void>;
}
