/** Virtual time: one event after the other, those of one moment in a drawn order. */

import { setImmediate } from 'node:timers/promises';
import type { Timers } from '../support/memory/work-queue.ts';
import type { Random } from './random.ts';

const EVENTS_AT_ONCE = 1_000;

interface Event {
  readonly atMs: number;
  readonly tie: number;
  run: (() => void) | null;
}

export class Scheduler implements Timers {
  nowMs = 0;
  /** Events that ran so far. */
  events = 0;
  readonly #random: Random;
  readonly #heap: Event[] = [];

  constructor(random: Random) {
    this.#random = random;
  }

  after(ms: number, run: () => void): () => void {
    const event: Event = { atMs: this.nowMs + ms, tie: this.#random.next(), run };
    this.#push(event);
    return () => {
      event.run = null;
    };
  }

  /**
   * Runs events until `untilMs`, or until `isOver`; between two events everything settles that
   * needs no time.
   */
  async run(untilMs: number, isOver: () => boolean): Promise<void> {
    await settled();
    while (!isOver()) {
      const next = this.#heap[0];
      if (next === undefined || next.atMs > untilMs) break;
      this.#pop();
      if (next.run === null) continue;
      this.nowMs = next.atMs;
      this.events += 1;
      next.run();
      // Others of this thread (a test runner's timers) shall have their turn now and then.
      await (this.events % EVENTS_AT_ONCE === 0 ? setImmediate() : settled());
    }
    if (!isOver()) this.nowMs = untilMs;
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let at = heap.push(event) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(event, heap[parent])) break;
      heap[at] = heap[parent] as Event;
      at = parent;
    }
    heap[at] = event;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (isBefore(heap[child + 1], heap[child])) child += 1;
      if (!isBefore(heap[child], last)) break;
      heap[at] = heap[child] as Event;
      at = child;
    }
    heap[at] = last;
  }
}

/** Resolves when every promise that needs no time has settled: ticks come after microtasks. */
function settled(): Promise<void> {
  return new Promise((resolve) => {
    process.nextTick(resolve);
  });
}

function isBefore(a: Event | undefined, b: Event | undefined): boolean {
  if (a === undefined || b === undefined) return a !== undefined;
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.tie < b.tie);
}
