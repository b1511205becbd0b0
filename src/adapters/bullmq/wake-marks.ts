/**
 * A bell may be woken while it is being answered, by somebody who knows more than the answer has
 * read. BullMQ drops such a ring, so it leaves a mark, and the bell is not laid to sleep.
 */

/** Longer than any answer that is about to say `later`. */
const MARK_SECONDS = 600;

/** The two commands that are needed of a connection. */
export interface MarkStore {
  set(key: string, value: string, options: { EX: number }): Promise<unknown>;
  del(key: string): Promise<number>;
}

export function wakeMarkKey(prefix: string, queue: string, jobId: string): string {
  return `${prefix}:woken:${queue}:${jobId}`;
}

export async function leaveMark(store: MarkStore, key: string): Promise<void> {
  await store.set(key, '1', { EX: MARK_SECONDS });
}

/** Removes the mark; true: there was one. */
export async function takeMark(store: MarkStore, key: string): Promise<boolean> {
  return (await store.del(key)) > 0;
}
