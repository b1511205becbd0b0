/** What a row of the fault matrix says, and what its functions are given. */

import type { HoldCode } from '../../src/domain/job.ts';
import type { JobId } from '../../src/domain/ids.ts';
import type { Notice } from '../../src/ports/notices.ts';
import type { FaultSwitch } from '../../src/simulator/faults/switches.ts';
import type { SimulatorOptions } from '../../src/simulator/options.ts';
import type { Simulator } from '../../src/simulator/simulator.ts';
import type { MovingClock } from './moving-clock.ts';
import type { WireFault, WireProxy } from './wire-proxy.ts';
import type { Call, Workshop } from './workshop.ts';

export interface Row {
  /** For `--row`; unique. */
  readonly name: string;
  /** For the table: the fault in words. */
  readonly fault: string;
  /** For the table: what becomes of it. */
  readonly outcome: string;
  /** False: it has an outcome of its own and does not mix with other rows. True by default. */
  readonly mixes?: boolean;
  /** The simulator's faults that are on from the beginning; each must strike. */
  readonly faults?: (seed: number) => readonly FaultSwitch[];
  /** The wire's faults; each must strike. */
  readonly wire?: (seed: number) => readonly WireFault[];
  readonly world?: Partial<SimulatorOptions>;
  /** Settings of the program, over the matrix's own. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Batches that may execute for one chunk; 12 by default. */
  readonly maxAttempts?: number;
  /** Works beside the job from its submission on; its sentences are failures. */
  readonly act?: (scene: Scene) => Promise<readonly string[] | void>;
  /** Failures of the network that the program must have met: ECONNREFUSED … */
  readonly meets?: RegExp;
  /** The job is held with this code; then the faults end and it is resumed. */
  readonly hold?: HoldCode;
  /** Notices that operators must have been told. */
  readonly tells?: readonly string[];
  /** Error lines by code; every other line is as in an undisturbed run. None by default. */
  readonly errors?: (scene: Scene) => Readonly<Record<string, number>>;
  /** Requests that are paid in the end; by default all that have no error line. */
  readonly paid?: (scene: Scene) => number;
  /** Result lines say the same as in an undisturbed run, but not in the same bytes. */
  readonly otherBytes?: boolean;
  /** Sentences about payment that the fault itself explains. */
  readonly excuses?: RegExp;
  /** What else must be true when the job is over; sentences where it is not. */
  readonly check?: (scene: Scene, ending: Ending) => readonly string[];
  /** Runs by itself instead of through a house in this process; sentences about what failed. */
  readonly alone?: (seed: number, undisturbed: readonly string[]) => Promise<readonly string[]>;
}

/** A manifest as far as the matrix looks at it. */
export interface ManifestView {
  readonly quarantine: Readonly<Record<string, number>>;
  readonly batches: readonly string[];
}

/** What a row's own check may look at. */
export interface Ending {
  readonly manifest: ManifestView;
  readonly chunks: number;
  /** Of the result, and of an undisturbed run's. */
  readonly lines: readonly string[];
  readonly undisturbed: readonly string[];
  /** Answer lines that were put aside, without their newlines. */
  readonly quarantine: readonly Buffer[];
}

/** One case while it runs. */
export interface Scene {
  readonly seed: number;
  readonly lines: readonly string[];
  readonly simulator: Simulator;
  readonly wire: WireProxy;
  /** The name under which the program finds the wire. */
  readonly host: string;
  readonly clock: MovingClock;
  readonly shop: Workshop;
  readonly dataDir: string;
  /** Where the simulator keeps its files, by their ids. */
  readonly worldDir: string;
  readonly redisUrl: string;
  readonly job: JobId;
  readonly notices: readonly Notice[];
  /** Calls to the provider that are over, in their order. */
  readonly calls: readonly Call[];
  /** Their failures. */
  readonly weather: readonly string[];
  /** Types of the events written so far. */
  readonly events: readonly string[];
  /** Calls what follows the next event of the type, before the program goes on. */
  readonly onNext: (type: string, act: () => void) => void;
  /** Resolves when the condition holds; rejects after a while. */
  readonly until: (condition: () => boolean | Promise<boolean>) => Promise<void>;
}

/** One to three, by the seed. */
export function few(seed: number): number {
  return 1 + (seed % 3);
}

/** How often the simulator's fault has struck so far. */
export function strikesOf({ simulator }: Scene, name: string): number {
  return simulator.controls.faults().find(({ fault }) => fault.name === name)?.strikes ?? 0;
}
