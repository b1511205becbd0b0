/** Goes through the commands of a plot in a place of its own; a killed one is typed again. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { startSimulator, type Simulator } from '../../src/simulator/simulator.ts';
import { type Ended, makePlace, type OwnedPlace, type Running } from '../support/program.ts';
import type { Plot, Step } from './scenarios.ts';
import { leaveInTime } from './steps.ts';
import { type Strike, strikeEnvironment } from './strike.ts';
import { HASTE } from './worlds.ts';

/** A command that takes longer hangs: far above any wait that is meant to be. */
const COMMAND_MS = 90_000;

/** Virtual seconds in a real one: a batch takes some thirty milliseconds. */
const TIME_FACTOR = 6_000;

export interface JourneyOptions {
  readonly seed: number;
  /** The strike of the first command, of the one that is typed after its death, and so on. */
  readonly strikes: readonly Strike[];
  /** Commands of the plot before this one are left in peace; from 0. */
  readonly fromStep?: number;
  readonly isRecorded: boolean;
  /** An operator's Redis; null: each command has a private one. */
  readonly redisUrl: string | null;
  /** Called with every command as it starts, to do it harm. */
  readonly disturb?: (running: Running) => void;
}

/** What a journey left behind. */
export interface Travelled {
  readonly place: OwnedPlace;
  readonly simulator: Simulator;
  /** The points that were struck, in order. */
  readonly struck: readonly string[];
  /** For each command of the plot, every point that it reached, where that was recorded. */
  readonly reached: readonly (readonly string[])[];
  /** How often a command died. */
  readonly deaths: number;
  /** What went wrong on the way; empty where nothing did. */
  readonly problems: readonly string[];
  readonly elapsedMs: number;
  /** `keepsFolder` leaves the place's folder to people. */
  close(keepsFolder?: boolean): Promise<void>;
}

/** Commands that run now: they must not outlive us, however we end. */
const abroad = new Set<Running>();
process.on('exit', () => {
  for (const running of abroad) running.signal('SIGKILL');
});

/** Goes through the plot's commands. What it leaves is the caller's to close. */
export async function travel(plot: Plot, options: JourneyOptions): Promise<Travelled> {
  const startedMs = performance.now();
  const simulator = await startSimulator({
    seed: options.seed,
    timeFactor: TIME_FACTOR,
    ...plot.simulator,
  });
  const redis = options.redisUrl === null ? {} : { REDIS_URL: options.redisUrl };
  const place = await makePlace(simulator.url, { ...HASTE, ...redis, ...plot.env });
  const traveller = new Traveller(plot, options, place, simulator);
  const ending = new AbortController();
  const attending = plot.attend?.(place, simulator, ending.signal);
  try {
    await place.writeInput(inputOf(plot));
    for (const [index, step] of plot.steps.entries()) await traveller.take(step, index);
  } finally {
    ending.abort();
    await attending;
  }
  return {
    place,
    simulator,
    struck: await linesOf(traveller.reportPath),
    reached: await Promise.all(plot.steps.map((_, index) => linesOf(traveller.recordPath(index)))),
    deaths: traveller.deaths,
    problems: traveller.problems,
    elapsedMs: performance.now() - startedMs,
    close: async (keepsFolder = false) => {
      if (!keepsFolder) await place.clear();
      await simulator.close();
    },
  };
}

function inputOf({ lines }: Plot): string {
  return lines.map((line) => `${line}\n`).join('');
}

class Traveller {
  readonly #plot: Plot;
  readonly #options: JourneyOptions;
  readonly #place: OwnedPlace;
  readonly #simulator: Simulator;
  readonly reportPath: string;
  readonly problems: string[] = [];
  deaths = 0;

  constructor(plot: Plot, options: JourneyOptions, place: OwnedPlace, simulator: Simulator) {
    this.#plot = plot;
    this.#options = options;
    this.#place = place;
    this.#simulator = simulator;
    this.reportPath = join(place.folder, 'struck');
  }

  recordPath(index: number): string {
    return join(this.#place.folder, `reached-${index}`);
  }

  /** Types the command until it ends by itself. */
  async take(step: Step, index: number): Promise<void> {
    if (this.problems.length > 0) return;
    await step.before?.(this.#place, this.#simulator);
    for (;;) {
      const { code, stderr } = await this.#run(step, index);
      if (code === null) {
        this.deaths += 1;
        continue;
      }
      if (step.codes.includes(code)) return;
      const words = stderr.trim().split('\n').slice(-8).join('\n      ');
      this.problems.push(
        `the command ended with ${code}, not ${step.codes.join()}:\n      ${words}`,
      );
      return;
    }
  }

  async #run(step: Step, index: number): Promise<Ended> {
    const stdin = step.isPiped === true ? Buffer.from(inputOf(this.#plot)) : undefined;
    const args = step.args(this.#place, this.#simulator);
    const running = this.#place.start(args, this.#orders(index), stdin);
    abroad.add(running);
    this.#options.disturb?.(running);
    const hangs = setTimeout(() => {
      const tail = tailOf(running.stderr());
      this.problems.push(`a command did not end in ${COMMAND_MS} ms:${tail}`);
      running.signal('SIGTERM');
      running.signal('SIGTERM');
    }, COMMAND_MS);
    try {
      void leaveInTime(step, running, this.#simulator);
      return await running.ended;
    } finally {
      clearTimeout(hangs);
      abroad.delete(running);
    }
  }

  /** Strikes are ordered one after another: the next command is told of the next one. */
  #orders(index: number): Record<string, string> {
    const { strikes, isRecorded, fromStep = 0 } = this.#options;
    const strike = index < fromStep ? undefined : strikes[this.deaths];
    if (strike === undefined && !isRecorded) return {};
    return strikeEnvironment({
      strikes: strike === undefined ? [] : [strike],
      reportTo: this.reportPath,
      ...(isRecorded ? { recordTo: this.recordPath(index) } : {}),
    });
  }
}

/** The last lines of what a command said. */
function tailOf(stderr: string): string {
  return stderr
    .trim()
    .split('\n')
    .slice(-8)
    .map((line) => `\n      ${line}`)
    .join('');
}

async function linesOf(path: string): Promise<string[]> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return text.split('\n').filter((line) => line !== '');
}
