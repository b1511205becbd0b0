/** The handles by which a test moves a world: time, faults, the fate of batches, gates, latches. */

import { orderBatch } from './batches/orders.ts';
import type { BatchOrder } from './batches/record.ts';
import { type BatchOnWire, batchOnWire } from './batches/view.ts';
import type { EventOf, EventType, UntilOptions } from './events.ts';
import type { FaultName, Operation } from './faults/names.ts';
import type { FaultSwitch } from './faults/switches.ts';
import { type FileOnWire, fileOnWire } from './files/shelf.ts';
import type { Hold, Moment } from './http/gates.ts';
import type { World } from './world.ts';

export class Controls {
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  /** Virtual milliseconds since 1970. */
  nowMs(): number {
    return this.#world.clock.nowMs();
  }

  /** Moves a manual or paused clock; resolves when everything that fell due has happened. */
  advance(virtualMs: number): Promise<void> {
    return this.#world.clock.advance(virtualMs);
  }

  pause(): void {
    this.#world.clock.pause();
  }

  /** Lets a paused clock run again; a manual one stays as it is. */
  resume(): void {
    this.#world.clock.resume();
  }

  /** Resolves when nothing is being executed: every batch waits for its time. */
  quiet(): Promise<void> {
    return this.#world.clock.quiet();
  }

  /** Switches a fault on, replacing a switch of the same name. Throws on an unknown name. */
  setFault(fault: FaultSwitch): void {
    this.#world.faults.set(fault);
  }

  /** Switches one fault off, or all. */
  clearFaults(name?: FaultName): void {
    this.#world.faults.clear(name);
  }

  faults(): { fault: FaultSwitch; strikes: number }[] {
    return this.#world.faults.list();
  }

  /** Gives a live batch another end than its own. Throws where it is unknown or has ended. */
  order(batchId: string, order: BatchOrder): void {
    const batch = this.#world.batches.find(batchId);
    if (batch === null) throw new Error(`no batch ${batchId}`);
    if (orderBatch(this.#world, batch, order)) return;
    throw new Error(`${batchId} is ${batch.status} already`);
  }

  /** Holds calls of the operation before or after their work until the hold is released. */
  hold(operation: Operation, moment: Moment): Hold {
    return this.#world.gates.hold(operation, moment);
  }

  /** How many events there have been: `after` for an `until` that wants the next one. */
  eventCount(): number {
    return this.#world.events.count;
  }

  /** The first event, past or to come, that fits. Rejects at the deadline. */
  until<Type extends EventType>(
    type: Type,
    fits?: (event: EventOf<Type>) => boolean,
    options?: UntilOptions,
  ): Promise<EventOf<Type>> {
    return this.#world.events.until(type, fits, options);
  }

  /** All batches, oldest first, as the API shows them without faults. */
  batches(): BatchOnWire[] {
    return this.#world.batches.all().map(batchOnWire);
  }

  /** All files that live, oldest first. */
  files(): FileOnWire[] {
    return this.#world.files.all().map(fileOnWire);
  }
}
