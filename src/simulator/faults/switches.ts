/** The fault switches: which faults are on, how often they strike, and whom. */

import type { EventLog } from '../events.ts';
import { chance, type Seed } from '../random.ts';
import { type FaultName, SIMULATOR_FAULTS } from './names.ts';

export interface FaultSwitch {
  readonly name: FaultName;
  /** Share of the chances at which it strikes, 0 … 1; 1 by default. */
  readonly rate?: number;
  /** The simulator's seed by default. */
  readonly seed?: Seed;
  /** Strikes at most so often; without a bound by default. */
  readonly times?: number;
  /** Strikes only where the subject (path, ids, filename, metadata, custom_id) contains it. */
  readonly match?: string;
  /** For faults "for a while": how many calls about one object are affected; 3 by default. */
  readonly calls?: number;
  /** For faults "for a while": real milliseconds from the first affected call, not `calls`. */
  readonly forMs?: number;
  readonly delayMs?: number;
  readonly retryAfterSeconds?: number;
  /** Share of a batch's requests that are done, 0 … 1; drawn by default. */
  readonly share?: number;
}

interface ActiveSwitch {
  readonly fault: FaultSwitch;
  chances: number;
  strikes: number;
  readonly decided: Map<string, boolean>;
  readonly spells: Map<string, { calls: number; sinceMs: number }>;
}

export class FaultSwitches {
  readonly #seed: Seed;
  readonly #events: EventLog;
  readonly #active = new Map<string, ActiveSwitch>();

  constructor(seed: Seed, events: EventLog, faults: readonly FaultSwitch[]) {
    this.#seed = seed;
    this.#events = events;
    for (const fault of faults) this.set(fault);
  }

  /** Switches a fault on, replacing a switch of the same name. Throws on an unknown name. */
  set(fault: FaultSwitch): void {
    if (!SIMULATOR_FAULTS.has(fault.name)) throw new Error(`unknown fault: ${fault.name}`);
    const rate = fault.rate ?? 1;
    if (!(rate >= 0 && rate <= 1)) throw new Error(`${fault.name}: rate ${rate} is not in 0 … 1`);
    this.#active.set(fault.name, {
      fault,
      chances: 0,
      strikes: 0,
      decided: new Map(),
      spells: new Map(),
    });
  }

  /** Switches one fault off, or all. */
  clear(name?: FaultName): void {
    if (name === undefined) this.#active.clear();
    else this.#active.delete(name);
  }

  /** What is on, with the number of strikes so far. */
  list(): { fault: FaultSwitch; strikes: number }[] {
    return [...this.#active.values()].map(({ fault, strikes }) => ({ fault, strikes }));
  }

  isOn(name: FaultName): boolean {
    return this.#active.has(name);
  }

  /** Draws once; by the key, or where there is none by the number of the draw. */
  strikes(name: FaultName, subject: string, key?: string): FaultSwitch | null {
    const active = this.#active.get(name);
    if (active === undefined || !this.#mayStrike(active, subject)) return null;
    active.chances++;
    return this.#draw(active, key ?? String(active.chances), subject) ? active.fault : null;
  }

  /** Draws once for an object and keeps the decision. */
  afflicts(name: FaultName, objectId: string, subject: string): FaultSwitch | null {
    const active = this.#active.get(name);
    if (active === undefined) return null;
    const known = active.decided.get(objectId);
    if (known !== undefined) return known ? active.fault : null;
    const struck = this.#mayStrike(active, subject) && this.#draw(active, objectId, subject);
    active.decided.set(objectId, struck);
    return struck ? active.fault : null;
  }

  /** As `afflicts`, but only for a while: counts this call. */
  lingers(name: FaultName, objectId: string, subject: string): boolean {
    const fault = this.afflicts(name, objectId, subject);
    const active = this.#active.get(name);
    if (fault === null || active === undefined) return false;
    const spell = active.spells.get(objectId) ?? { calls: 0, sinceMs: performance.now() };
    active.spells.set(objectId, spell);
    spell.calls++;
    if (fault.forMs !== undefined) return performance.now() - spell.sinceMs < fault.forMs;
    return spell.calls <= (fault.calls ?? 3);
  }

  #mayStrike(active: ActiveSwitch, subject: string): boolean {
    const { match, times } = active.fault;
    if (match !== undefined && !subject.includes(match)) return false;
    return times === undefined || active.strikes < times;
  }

  #draw(active: ActiveSwitch, key: string, subject: string): boolean {
    const { name, rate, seed } = active.fault;
    if (chance(seed ?? this.#seed, 'fault', name, key) >= (rate ?? 1)) return false;
    active.strikes++;
    this.#events.emit({ type: 'fault_fired', name, subject });
    return true;
  }
}
