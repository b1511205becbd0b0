/** `batchwright doctor`: what is missing or wrong, and what to do about it. */

import { tmpdir } from 'node:os';
import type { Command } from 'commander';
import type { Config } from '../../config/load.ts';
import { isLoopback } from '../../config/providers.ts';
import { probeProvider, probeRedis, probeStore } from '../probes.ts';
import { EXIT } from './exit.ts';
import type { Finish } from './exit.ts';
import { freeBytes } from './room.ts';
import type { CommonFlags } from './settings.ts';
import { configOf, terminalOf, withCommonFlags } from './settings.ts';
import type { Terminal } from './terminal.ts';
import { size } from './terminal.ts';

/** One finding; `problem` null: fine. */
interface Finding {
  readonly check: string;
  readonly detail: string;
  readonly problem: string | null;
}

/** Less room than this is worth a word. */
const LOW_ROOM_BYTES = 1_000_000_000;

/** A clock that is further off than this confuses people and signatures. */
const MAX_SKEW_MS = 60_000;

export function addDoctor(program: Command, finish: Finish): void {
  const command = program.command('doctor').description('what is missing or wrong here');
  withCommonFlags(command).action(async (flags: CommonFlags) => {
    const terminal = terminalOf(flags);
    const config = configOf(flags);
    const findings = [
      nodeFinding(),
      keyFinding(config),
      ...(await storeFindings(config)),
      await roomFinding(config),
      await redisFinding(config),
      ...(await providerFindings(config)),
    ];
    for (const finding of findings) {
      if (terminal.json) terminal.data(JSON.stringify(finding));
      else terminal.data(asLine(finding, terminal));
    }
    const isWell = findings.every((finding) => finding.problem === null);
    finish(isWell ? EXIT.ok : EXIT.usage);
  });
}

function asLine({ check, detail, problem }: Finding, terminal: Terminal): string {
  const mark = problem === null ? terminal.style('green', '✔') : terminal.style('red', '✘');
  return `${mark} ${check}: ${detail}${problem === null ? '' : `\n  ${problem}`}`;
}

function nodeFinding(): Finding {
  return { check: 'Node', detail: process.versions.node, problem: null };
}

function keyFinding(config: Config): Finding {
  const isSet = config.OPENAI_API_KEY !== undefined;
  const isNeeded = !isLoopback(config.OPENAI_BASE_URL);
  return {
    check: 'OPENAI_API_KEY',
    detail: isSet ? 'set' : isNeeded ? 'not set' : 'not set, and not needed on this machine',
    problem: isSet || !isNeeded ? null : 'Export it, or write it to .env.',
  };
}

async function storeFindings(config: Config): Promise<Finding[]> {
  const probe = await probeStore(config);
  return Object.entries(probe).map(([what, problem]) => ({
    check: `data directory, ${what}`,
    detail: problem === null ? config.dataDir : 'does not work',
    problem: problem === null ? null : `${problem}: choose another place with --data-dir.`,
  }));
}

async function roomFinding(config: Config): Promise<Finding> {
  const free = await freeBytes(config.dataDir).catch(() => freeBytes(tmpdir()));
  return {
    check: 'disk room',
    detail: `${size(free)} free`,
    problem: free < LOW_ROOM_BYTES ? 'A job needs about five times its input: make room.' : null,
  };
}

async function redisFinding(config: Config): Promise<Finding> {
  try {
    return { check: 'Redis', detail: await probeRedis(config), problem: null };
  } catch (error) {
    return { check: 'Redis', detail: 'not usable', problem: (error as Error).message };
  }
}

async function providerFindings(config: Config): Promise<Finding[]> {
  const { OPENAI_BASE_URL: baseUrl } = config;
  try {
    const { skewMs } = await probeProvider(config);
    const isOff = skewMs !== null && Math.abs(skewMs) > MAX_SKEW_MS;
    const seconds = skewMs === null ? 'not told' : `${Math.round(skewMs / 1000)} s apart`;
    return [
      { check: 'Batch API', detail: baseUrl, problem: null },
      { check: 'clock', detail: seconds, problem: isOff ? 'Set this machine’s clock.' : null },
    ];
  } catch (error) {
    const problem = `${(error as Error).message}: check OPENAI_BASE_URL and the key.`;
    return [{ check: 'Batch API', detail: baseUrl, problem }];
  }
}
