/**
 * Goes through the commands of a plot while the disk is in trouble for a while. A command that
 * the trouble ends is typed again once it is over, as people would.
 */

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import type { Travelled } from '../crash/journey.ts';
import type { Plot, Step } from '../crash/scenarios.ts';
import { leaveInTime } from '../crash/steps.ts';
import { type Strike, strikeEnvironment } from '../crash/strike.ts';
import { HASTE } from '../crash/worlds.ts';
import { type Ended, makePlace, type OwnedPlace, type Running } from '../support/program.ts';

/** A command that takes longer hangs. */
const COMMAND_MS = 60_000;

/** Virtual seconds in a real one. */
const TIME_FACTOR = 6_000;

/** Strikes, or time after the first one, after which there is room again. */
const STRIKES_ENOUGH = 3;
const TROUBLE_MS = 700;

const LOOK_MS = 20;

/** Disk trouble as people read it; anything else is an accident of ours. */
const CLEAR = new RegExp(
  [
    'could not be used',
    'has no room left',
    'left; the job may need',
    'on a disk that fails',
    'cannot be read',
    'is read-only',
    'cannot be written to',
  ].join('|'),
);

/** An ordinary notice that repeats what the alert has said. */
const REPEATED = /^△.*struck at/m;

/** One for each stretch of trouble. */
const ALERT = /^▲ .*(?:is full|is read-only|must not be written|disk that fails|is missing or)/gm;

export interface VoyageOptions {
  readonly seed: number;
  /** Null: nothing happens. */
  readonly strike: Strike | null;
  readonly isRecorded: boolean;
  /** Where the data directory lies instead; null: in the place's own folder. */
  readonly dataDir: string | null;
  /** Called with the first command as it starts, to do it harm; resolves when that is over. */
  readonly disturb?: (running: Running) => Promise<void>;
}

export interface Sailed extends Travelled {
  /** What the commands said on stderr, in their order. */
  readonly said: readonly string[];
}

export async function sail(plot: Plot, options: VoyageOptions): Promise<Sailed> {
  const startedMs = performance.now();
  const { seed } = options;
  const simulator = await startSimulator({ seed, timeFactor: TIME_FACTOR, ...plot.simulator });
  const elsewhere = options.dataDir === null ? {} : { BATCHWRIGHT_DATA_DIR: options.dataDir };
  const place = await makePlace(simulator.url, { ...HASTE, ...plot.env, ...elsewhere });
  const sailor = new Sailor(plot, options, place, simulator);
  await place.writeInput(inputOf(plot));
  for (const step of plot.steps) await sailor.take(step);
  // What lies about of commands that have ended goes with any later command of its kind.
  await place.command(['prune', '--older-than-days', '36500']);
  return {
    place: { ...place, dataDir: options.dataDir ?? place.dataDir },
    simulator,
    struck: await linesOf(sailor.reportPath),
    reached: [await linesOf(sailor.recordPath)],
    deaths: sailor.deaths,
    problems: sailor.problems,
    said: sailor.said,
    elapsedMs: performance.now() - startedMs,
    close: async () => {
      await place.clear();
      await simulator.close();
    },
  };
}

class Sailor {
  readonly #plot: Plot;
  readonly #options: VoyageOptions;
  readonly #place: OwnedPlace;
  readonly #simulator: Simulator;
  readonly reportPath: string;
  readonly recordPath: string;
  readonly #roomPath: string;
  readonly problems: string[] = [];
  readonly said: string[] = [];
  deaths = 0;

  constructor(plot: Plot, options: VoyageOptions, place: OwnedPlace, simulator: Simulator) {
    this.#plot = plot;
    this.#options = options;
    this.#place = place;
    this.#simulator = simulator;
    this.reportPath = join(place.folder, 'struck');
    this.recordPath = join(place.folder, 'reached');
    this.#roomPath = join(place.folder, 'room');
  }

  /** Types the command until it ends as it should. */
  async take(step: Step): Promise<void> {
    await step.before?.(this.#place, this.#simulator);
    while (this.problems.length === 0) {
      const ended = await this.#run(step);
      this.said.push(ended.stderr);
      this.#judge(ended);
      if (ended.code !== null && step.codes.includes(ended.code)) return;
      this.deaths += 1;
      if (this.deaths > 2)
        this.problems.push(`it ended ${this.deaths} times: ${tail(ended.stderr)}`);
      await this.#makeRoom();
    }
  }

  async #run(step: Step): Promise<Ended> {
    const stdin = step.isPiped === true ? Buffer.from(inputOf(this.#plot)) : undefined;
    const args = step.args(this.#place, this.#simulator);
    const running = this.#place.start(args, this.#orders(), stdin);
    void leaveInTime(step, running, this.#simulator);
    const over = new AbortController();
    const room = this.#makeRoomLater(over.signal);
    const harm = this.deaths === 0 ? this.#options.disturb?.(running) : undefined;
    const hangs = setTimeout(() => {
      this.problems.push(`a command did not end in ${COMMAND_MS} ms: ${tail(running.stderr())}`);
      running.signal('SIGKILL');
    }, COMMAND_MS);
    const ended = await running.ended;
    clearTimeout(hangs);
    over.abort();
    await Promise.all([room, harm]);
    return ended;
  }

  /** What a command may say of the trouble: one alert, or why it ends. */
  #judge({ code, stderr }: Ended): void {
    const isKilled = code === null;
    const isOver = isKilled || this.#plot.steps.some(({ codes }) => codes.includes(code));
    if (!isOver && !CLEAR.test(stderr)) this.problems.push(`it ended unclearly: ${tail(stderr)}`);
    if (REPEATED.test(stderr))
      this.problems.push(`the trouble is told in many ways: ${tail(stderr)}`);
    const alerts = stderr.match(ALERT)?.length ?? 0;
    const ends = stderr.match(/can be used again/g)?.length ?? 0;
    if (alerts > ends + 1)
      this.problems.push(`${ends + 1} troubles, ${alerts} alerts: ${tail(stderr)}`);
  }

  #orders(): Record<string, string> {
    const { strike, isRecorded } = this.#options;
    if (strike === null && !isRecorded) return {};
    const isLasting = strike?.action !== 'kill';
    const lasting = isLasting ? { count: null, untilExists: this.#roomPath } : {};
    return strikeEnvironment({
      strikes: strike === null || this.deaths > 0 ? [] : [{ ...strike, ...lasting }],
      reportTo: this.reportPath,
      ...(isRecorded ? { recordTo: this.recordPath } : {}),
    });
  }

  async #makeRoomLater(signal: AbortSignal): Promise<void> {
    let firstMs: number | null = null;
    while (!signal.aborted) {
      const { length } = await linesOf(this.reportPath);
      const nowMs = performance.now();
      if (length > 0) firstMs ??= nowMs;
      const isEnough = length >= STRIKES_ENOUGH || nowMs - (firstMs ?? nowMs) > TROUBLE_MS;
      if (isEnough) return this.#makeRoom();
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  async #makeRoom(): Promise<void> {
    await writeFile(this.#roomPath, '');
  }
}

function inputOf({ lines }: Plot): string {
  return lines.map((line) => `${line}\n`).join('');
}

async function linesOf(path: string): Promise<string[]> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return text.split('\n').filter((line) => line !== '');
}

function tail(words: string): string {
  return words.trim().split('\n').slice(-12).join('\n      ');
}
