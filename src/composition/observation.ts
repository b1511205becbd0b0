/** How a long-lived process is watched: its log on stdout, and the numbers of its house. */

import type { Config } from '../../config/load.ts';
import { SECRETS } from '../../config/schema.ts';
import type { OpenLog } from '../adapters/log/log.ts';
import { createLog } from '../adapters/log/log.ts';
import { createMetrics } from '../adapters/metrics/metrics.ts';
import type { House, Store } from '../compose.ts';
import type { Metrics } from '../ports/metrics.ts';
import { measuresOf } from '../service/measures.ts';
import { OpenFigures } from '../service/open-figures.ts';
import { PROGRAM_VERSION } from '../version.ts';

/** JSON lines on stdout, in which no configured secret can stand. */
export function openLog(config: Config): OpenLog {
  const secrets = SECRETS.flatMap((name) => config[name]?.split(/\s+/) ?? []);
  return createLog({ level: config.BATCHWRIGHT_LOG_LEVEL, write: null, secrets });
}

/** What /metrics of a process with this house shows. */
export function openMetrics(store: Store, house: House): Metrics {
  const { views, blobs, clock } = store;
  const { queue, stepAges, provider, noticeCounts: notices, tools } = house;
  const figures = new OpenFigures({ views, blobs, clock, board: tools.board });
  const measures = measuresOf({ figures, queue, stepAges, provider, notices });
  return createMetrics({ version: PROGRAM_VERSION, measures });
}
