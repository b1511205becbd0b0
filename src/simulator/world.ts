/** Everything that one simulated world is made of, handed to whatever acts in it. */

import type { BatchShelf } from './batches/shelf.ts';
import type { VirtualClock } from './clock.ts';
import type { EventLog } from './events.ts';
import type { FaultSwitches } from './faults/switches.ts';
import type { FileShelf } from './files/shelf.ts';
import type { Gates } from './http/gates.ts';
import type { Ledger } from './ledger/ledger.ts';
import type { Settings } from './options.ts';

export interface World {
  readonly settings: Settings;
  readonly clock: VirtualClock;
  readonly events: EventLog;
  readonly faults: FaultSwitches;
  readonly gates: Gates;
  readonly files: FileShelf;
  readonly batches: BatchShelf;
  readonly ledger: Ledger;
}
