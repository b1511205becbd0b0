/** `batchwright doctor`: what is missing or wrong here or at a service, and what to do about it. */

import type { Command } from 'commander';
import type { Config } from '../../config/load.ts';
import { isLoopback } from '../../config/providers.ts';
import { probeHealth, probeProvider, probeStore } from '../composition/probes.ts';
import { EXIT } from './exit.ts';
import type { Finish } from './exit.ts';
import { checkService } from './remote/check.ts';
import type { ServiceFlags } from './remote/service.ts';
import { serviceOf, withServiceFlags } from './remote/service.ts';
import { configOf, terminalOf } from './settings.ts';
import type { Terminal } from './terminal.ts';

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
  withServiceFlags(command).action(async (flags: ServiceFlags) => {
    const terminal = terminalOf(flags);
    const service = serviceOf(flags);
    const found = service === null ? await findHere(configOf(flags)) : await checkService(service);
    const findings = [nodeFinding(), ...found];
    for (const finding of findings) {
      if (terminal.json) terminal.data(JSON.stringify(finding));
      else terminal.data(asLine(finding, terminal));
    }
    const isWell = findings.every((finding) => finding.problem === null);
    finish(isWell ? EXIT.ok : EXIT.usage);
  });
}

/** What work on the data directory of this machine needs. */
async function findHere(config: Config): Promise<Finding[]> {
  return [
    keyFinding(config),
    ...(await storeFindings(config)),
    ...(await healthFindings(config)),
    ...(await providerFindings(config)),
  ];
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

/** One line where all works; else one for each thing that does not. */
async function storeFindings(config: Config): Promise<Finding[]> {
  const probe = await probeStore(config);
  const broken = (Object.keys(NEEDS) as (keyof typeof NEEDS)[]).flatMap((what) => {
    const reason = probe[what];
    if (reason === null) return [];
    const { check, otherwise } = NEEDS[what];
    const problem = `${reason}. ${otherwise} Choose a folder on a local disk with --data-dir.`;
    return [{ check, detail: `does not work in ${config.dataDir}`, problem }];
  });
  const fine = { check: 'data directory', detail: config.dataDir, problem: null };
  return broken.length > 0 ? broken : [fine];
}

/** What the store needs of its file system, and what would happen without it. */
const NEEDS = {
  write: { check: 'data directory: writing files', otherwise: 'Nothing can be kept.' },
  fsync: {
    check: 'data directory: flushing files to the disk (fsync)',
    otherwise: 'After a power cut, what was paid for could be forgotten.',
  },
  folderFsync: {
    check: 'data directory: flushing folders to the disk (fsync of a folder)',
    otherwise: 'After a power cut, files that were written could be missing from their folder.',
  },
  link: {
    check: 'data directory: hard links that refuse a taken name',
    otherwise: 'Two processes could pay for the same requests.',
  },
  rename: {
    check: 'data directory: renaming over a file that is read',
    otherwise: 'A half-written file could be taken for a whole one.',
  },
} as const;

async function healthFindings(config: Config): Promise<Finding[]> {
  const findings = await probeHealth(config, LOW_ROOM_BYTES);
  return findings.map(({ name, detail, problem }) => ({
    check: HEALTH_NAMES[name] ?? name,
    detail,
    problem,
  }));
}

const HEALTH_NAMES: Readonly<Record<string, string>> = {
  redis: 'Redis',
  store: 'store',
  room: 'disk room',
};

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
