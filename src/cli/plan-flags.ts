/** The options that shape a plan, and the limits that follow from them. */

import type { Command } from 'commander';
import { Option } from 'commander';
import type { Config } from '../../config/load.ts';
import type { ChunkLimits } from '../domain/plan.ts';
import type { Endpoint } from '../domain/request.ts';
import { ENDPOINTS } from '../domain/request.ts';
import { chunkLimits } from '../service/chunk-limits.ts';
import { limitRules } from '../compose.ts';
import type { CommonFlags } from './settings.ts';
import { wholeOption } from './settings.ts';

export interface PlanFlags extends CommonFlags {
  readonly endpoint?: Endpoint;
  readonly model?: string;
  readonly maxRequests?: number;
  readonly maxBytes?: number;
  readonly onInvalid: 'fail' | 'skip';
}

/** The options that shape a plan; `plan` and `run` share them. */
export function withPlanFlags(command: Command): Command {
  return command
    .addOption(new Option('--endpoint <url>', 'for lines without url').choices([...ENDPOINTS]))
    .option('--model <name>', 'for lines without body.model')
    .addOption(wholeOption('--max-requests <n>', 'requests per chunk', 1, 100_000))
    .addOption(wholeOption('--max-bytes <n>', 'bytes per chunk', 1, 190_000_000))
    .addOption(
      new Option('--on-invalid <what>', 'fail: send nothing; skip: answer bad lines with errors')
        .choices(['fail', 'skip'])
        .default('fail'),
    );
}

/** A chunk's limits: the user's wish within what the provider takes. */
export function limitsOf(flags: PlanFlags, config: Config): ChunkLimits {
  return chunkLimits(flags, limitRules(config));
}
