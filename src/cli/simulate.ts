/** `batchwright simulate`: a Batch API server on this machine, for trying things at no cost. */

import type { Command } from 'commander';
import { InvalidArgumentError, Option } from 'commander';
import { Refusal } from '../domain/errors.ts';
import { SIMULATOR_FAULTS } from '../simulator/faults/names.ts';
import { parseSimulatorFault } from '../simulator/faults/parse.ts';
import type { FaultSwitch } from '../simulator/faults/switches.ts';
import { listenForLeaving } from './leaving.ts';
import { wholeOption } from './settings.ts';
import { Terminal } from './terminal.ts';

interface SimulateFlags {
  readonly port: number;
  readonly host: string;
  readonly seed: number;
  readonly timeFactor: number;
  readonly fault: readonly FaultSwitch[];
  readonly failRate: number;
  readonly flakyRate: number;
  readonly json?: boolean;
}

export function addSimulate(program: Command): void {
  program
    .command('simulate')
    .description('a Batch API server on this machine, with a seeded world and faults')
    .addOption(wholeOption('--port <n>', '0: any free one', 0, 65_535).default(4010))
    .option('--host <host>', 'the address to listen on', '127.0.0.1')
    .addOption(wholeOption('--seed <n>', 'the same seed, the same world', 0, 2 ** 32).default(1))
    .addOption(
      wholeOption('--time-factor <n>', 'virtual seconds in a second', 1, 1e6).default(3_600),
    )
    .addOption(
      new Option('--fault <name[=rate]…>', 'switch a fault on; may be repeated')
        .argParser(collectFault)
        .default([]),
    )
    .option('--fail-rate <share>', 'requests that always fail', parseShare, 0)
    .option('--flaky-rate <share>', 'requests that fail at first', parseShare, 0)
    .option('--json', 'the address as JSON on stdout')
    .action(simulate);
}

async function simulate(flags: SimulateFlags): Promise<void> {
  const json = flags.json ?? false;
  const terminal = new Terminal({ quiet: false, json, dataDir: null, url: null });
  // Loaded here only: every other command would carry its server in memory.
  const { startSimulator } = await import('../simulator/simulator.ts');
  const simulator = await startSimulator({
    port: flags.port,
    host: flags.host,
    seed: flags.seed,
    timeFactor: flags.timeFactor,
    faults: flags.fault,
    flakiness: { permanentRate: flags.failRate, retryableRate: flags.flakyRate },
  }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE') throw error;
    const way = 'choose another --port, or --port 0 for any free one';
    throw new Refusal('configuration', `Port ${flags.port} is in use: ${way}.`);
  });
  terminal.event('listening', { url: simulator.url });
  if (flags.json !== true) terminal.data(simulator.url);
  terminal.say(
    `A simulated Batch API, ${flags.timeFactor} times as fast as the day. In another shell:\n` +
      `  export OPENAI_BASE_URL=${simulator.url}\n` +
      '  batchwright run requests.jsonl -o result.jsonl --poll-interval-ms 500\nCtrl-C ends it.',
  );
  const leaving = listenForLeaving(terminal);
  await new Promise<void>((resolve) => {
    leaving.signal.addEventListener('abort', () => resolve());
  });
  leaving.done();
  await simulator.close();
}

function collectFault(text: string, before: readonly FaultSwitch[]): FaultSwitch[] {
  try {
    return [...before, parseSimulatorFault(text)];
  } catch (error) {
    const names = [...SIMULATOR_FAULTS.keys()].join(', ');
    throw new InvalidArgumentError(`${(error as Error).message}. There are: ${names}.`);
  }
}

function parseShare(text: string): number {
  const share = Number(text);
  if (!(share >= 0 && share <= 1)) throw new InvalidArgumentError('It must be from 0 to 1.');
  return share;
}
