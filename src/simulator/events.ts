/** What happened in the simulated world, kept for a while, with latches to wait on. */

export type SimulatorEvent =
  | { readonly type: 'call_started'; readonly operation: string; readonly path: string }
  | {
      readonly type: 'call_ended';
      readonly operation: string;
      readonly path: string;
      /** Null: the connection ended without a whole answer. */
      readonly status: number | null;
    }
  | { readonly type: 'file_created'; readonly fileId: string; readonly filename: string }
  | { readonly type: 'file_deleted'; readonly fileId: string }
  | { readonly type: 'batch_created'; readonly batchId: string; readonly inputFileId: string }
  | { readonly type: 'batch_status'; readonly batchId: string; readonly status: string }
  | { readonly type: 'batch_progress'; readonly batchId: string; readonly executed: number }
  | { readonly type: 'fault_fired'; readonly name: string; readonly subject: string }
  | { readonly type: 'webhook_sent'; readonly batchId: string; readonly status: number | null };

export type EventType = SimulatorEvent['type'];
export type EventOf<Type extends EventType> = Extract<SimulatorEvent, { type: Type }>;

export interface UntilOptions {
  /** Only events that come after this many; `count` of the log now means: the next one. */
  readonly after?: number;
  /** Real milliseconds after which the wait rejects; 10,000 by default. */
  readonly deadlineMs?: number;
}

const KEPT_EVENTS = 20_000;

export class EventLog {
  #kept: SimulatorEvent[] = [];
  #dropped = 0;
  readonly #listeners = new Set<(event: SimulatorEvent) => void>();

  /** How many events there have been. */
  get count(): number {
    return this.#dropped + this.#kept.length;
  }

  emit(event: SimulatorEvent): void {
    this.#kept.push(event);
    if (this.#kept.length > 2 * KEPT_EVENTS) {
      this.#dropped += KEPT_EVENTS;
      this.#kept = this.#kept.slice(KEPT_EVENTS);
    }
    for (const listener of this.#listeners) listener(event);
  }

  /** The first event, past or to come, of the type that fits. Rejects at the deadline. */
  until<Type extends EventType>(
    type: Type,
    fits: (event: EventOf<Type>) => boolean = () => true,
    options: UntilOptions = {},
  ): Promise<EventOf<Type>> {
    const matches = (event: SimulatorEvent): event is EventOf<Type> =>
      event.type === type && fits(event as EventOf<Type>);
    const past = this.#kept.slice(Math.max(0, (options.after ?? 0) - this.#dropped)).find(matches);
    if (past !== undefined) return Promise.resolve(past);
    const deadlineMs = options.deadlineMs ?? 10_000;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#listeners.delete(listen);
        reject(new Error(`no fitting ${type} within ${deadlineMs} ms`));
      }, deadlineMs);
      const listen = (event: SimulatorEvent): void => {
        if (!matches(event)) return;
        clearTimeout(timer);
        this.#listeners.delete(listen);
        resolve(event);
      };
      this.#listeners.add(listen);
    });
  }
}
