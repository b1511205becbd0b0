/** Slots whose holders have no use for them any more: nobody else would ever free them. */

import type { JobId } from '../domain/ids.ts';
import type { ChunkRef, LiveBoard } from '../ports/live-board.ts';
import type { WorkQueue } from '../ports/work-queue.ts';
import { chunkBell } from './bells.ts';
import type { JobViews } from './job-views.ts';
import { taskInLine } from './next-in-line.ts';

/** A slot that no journal explains is freed after this time: an upload may still run. */
const SLOT_GRACE_MS = 15 * 60_000;

/** The same where the journal says that nothing of the chunk is about to be sent. */
const IDLE_SLOT_GRACE_MS = 20_000;

/** What a sweep has seen of who may hold slots; chunks by their `slotKey`. */
export interface SlotSigns {
  /** Chunks that hold a slot by the journal. */
  readonly live: Set<string>;
  /** Chunks that may take a slot of which the journal does not tell yet. */
  readonly sending: Set<string>;
  /** Open jobs that could not be looked at as a whole. */
  readonly unread: Set<JobId>;
  /** False where the board could not be told something that the journal says. */
  isRestored: boolean;
}

export class DeadSlots {
  readonly #board: LiveBoard;
  readonly #queue: WorkQueue;
  readonly #views: JobViews;

  constructor(board: LiveBoard, queue: WorkQueue, views: JobViews) {
    this.#board = board;
    this.#queue = queue;
    this.#views = views;
  }

  /** Frees those of the model, for who stands in line; resolves to those that hold one now. */
  async free(model: string, signs: SlotSigns): Promise<ChunkRef[]> {
    const held: ChunkRef[] = [];
    for (const { holder, heldMs } of await this.#board.holders(model)) {
      const key = slotKey(holder);
      const isUnsure = !signs.isRestored || signs.unread.has(holder.job);
      const maySend = isUnsure || signs.sending.has(key);
      const graceMs = maySend ? SLOT_GRACE_MS : IDLE_SLOT_GRACE_MS;
      if (signs.live.has(key) || heldMs < graceMs) held.push(holder);
      else await this.#ringNext(await this.#board.freeSlot(model, holder));
    }
    return held;
  }

  async #ringNext(next: ChunkRef | null): Promise<void> {
    const task = next === null ? null : await taskInLine(next, this.#views);
    if (task === null) return;
    const due = chunkBell(task.job.id, task.chunk.id, task.stream.state, task.stream.version);
    if (due !== null) await this.#queue.ring(due.bell, due.delayMs);
  }
}

export function slotKey({ job, chunk }: ChunkRef): string {
  return `${job}/${chunk}`;
}
