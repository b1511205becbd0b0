/** One case: one seed's request set through the whole house, while rows of the matrix are on. */

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { providerIdentity } from '../../src/compose.ts';
import type { JobState } from '../../src/domain/job.ts';
import type { Notice } from '../../src/ports/notices.ts';
import type { Simulator } from '../../src/simulator/simulator.ts';
import { startSimulator } from '../../src/simulator/simulator.ts';
import { sha256 } from '../support/program.ts';
import { asInput, mixedLines } from '../support/sets.ts';
import { judge } from './judge.ts';
import type { Judgement } from './judge.ts';
import { MovingClock } from './moving-clock.ts';
import { nameOf } from './names.ts';
import type { Row, Scene } from './row.ts';
import { WireProxy } from './wire-proxy.ts';
import type { Call, Workshop } from './workshop.ts';
import { openWorkshop } from './workshop.ts';

/** How long a case may take; the longest of them wait for a few timeouts. */
const PATIENCE_MS = 20_000;

/** More than any row needs. */
const MANY_ATTEMPTS = 12;

const WORLD_FOLDER = 'world';

/** A day takes 2.4 seconds. */
const WORLD = { timeFactor: 36_000, windowSeconds: 3_600 };

export interface CaseOptions {
  readonly rows: readonly Row[];
  readonly seed: number;
  readonly redisUrl: string;
  /** The result's lines when nothing disturbs; null: this is that run. */
  readonly undisturbed: readonly string[] | null;
}

/** Runs the case and clears away after it. Rejects only where the matrix itself is broken. */
export async function runCase(options: CaseOptions): Promise<Judgement> {
  const folder = await mkdtemp(join(tmpdir(), 'bw-matrix-'));
  const { rows, seed } = options;
  const world = Object.assign({}, WORLD, ...rows.map((row) => row.world ?? {}));
  const faults = rows.flatMap((row) => row.faults?.(seed) ?? []);
  const simulator = await startSimulator({
    ...world,
    seed,
    faults,
    dataDir: join(folder, WORLD_FOLDER),
  });
  const wire = await WireProxy.start(
    simulator.port,
    rows.flatMap((row) => row.wire?.(seed) ?? []),
  );
  try {
    return await play(options, folder, simulator, wire);
  } finally {
    await wire.close();
    await simulator.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** The seed's request set. */
export function linesOf(seed: number): string[] {
  return mixedLines(24 + ((seed * 7) % 17));
}

/** The most that a chunk of the seed's set holds. */
export function requestsPerChunk(seed: number): number {
  return 6 + (seed % 5);
}

async function play(
  options: CaseOptions,
  folder: string,
  simulator: Simulator,
  wire: WireProxy,
): Promise<Judgement> {
  const { rows, seed } = options;
  const notices: Notice[] = [];
  const calls: Call[] = [];
  const weather: string[] = [];
  const events: string[] = [];
  const waiting = new Map<string, () => void>();
  const clock = new MovingClock();
  const host = nameOf(`provider-${seed}-${wire.port}`);
  const dataDir = join(folder, 'data');
  await mkdir(dataDir);
  const lines = linesOf(seed);
  const inputPath = join(folder, 'in.jsonl');
  await writeFile(inputPath, asInput(lines));
  const shop = await openWorkshop({
    dataDir,
    baseUrl: `http://${host}:${wire.port}/v1`,
    redisUrl: options.redisUrl,
    clock,
    settings: Object.assign({}, ...rows.map((row) => row.settings ?? {})),
    notices: { tell: (notice) => void notices.push(notice) },
    onCall: (call) => {
      calls.push(call);
      if (call.weather !== null) weather.push(`${call.key} ${call.weather}`);
    },
    onEvent: (type) => {
      events.push(type);
      const act = waiting.get(type);
      waiting.delete(type);
      act?.();
    },
  });
  const job = await submit(shop, inputPath, lines, options);
  const { redisUrl } = options;
  const places = { dataDir, worldDir: join(folder, WORLD_FOLDER), redisUrl };
  const common = { seed, lines, simulator, wire, host, clock, shop, ...places, job };
  const onNext = (type: string, act: () => void): void => void waiting.set(type, act);
  const scene: Scene = { ...common, notices, calls, weather, events, onNext, until };
  try {
    const acting = Promise.all(rows.map(async (row) => row.act?.(scene)));
    acting.catch(() => undefined);
    const missed = await follow(scene, rows);
    const said = (await acting).flatMap((sentences) => sentences ?? []);
    await shop.close();
    return await judge(scene, options, { missed, said });
  } catch (error) {
    await shop.close();
    const words = error instanceof Error ? error.message : String(error);
    const told = [...new Set(notices.map(wordsOf))].slice(0, 20);
    const met = [...new Set(weather)].slice(0, 20);
    return { wrong: [words, ...told, ...met], struck: true, lines: [] };
  }
}

async function submit(
  shop: Workshop,
  inputPath: string,
  lines: readonly string[],
  { rows, seed }: CaseOptions,
) {
  const bytes = Buffer.from(asInput(lines));
  const { limits } = shop.config.profile;
  const { job } = await shop.store.jobs.submit({
    name: 'in.jsonl',
    source: {
      kind: 'path',
      location: inputPath,
      encoding: 'identity',
      sizeBytes: bytes.length,
      sha256: sha256(bytes),
    },
    defaults: { endpoint: null, model: null },
    limits: { ...limits, maxRequests: requestsPerChunk(seed) },
    onInvalid: 'fail',
    provider: providerIdentity(shop.config),
    completionWindow: '24h',
    options: { maxAttempts: attemptsOf(rows), maxErrors: null },
    fresh: false,
    unconfirmed: false,
  });
  return job;
}

/** Waits for the end of the job, through its holds; resolves to what struck until then. */
async function follow(scene: Scene, rows: readonly Row[]): Promise<string[]> {
  const unstruck = (): string[] => [
    ...scene.simulator.controls.faults().flatMap((one) => (one.strikes > 0 ? [] : one.fault.name)),
    ...scene.wire.strikes().flatMap((one) => (one.strikes > 0 ? [] : one.kind)),
  ];
  let missed: string[] | null = null;
  let holds = rows.flatMap((row): string[] => (row.hold === undefined ? [] : [row.hold]));
  const expected = new Set(holds);
  await until(async () => {
    const state = await scene.shop.store.views.job(scene.job);
    if (state?.status === 'done' || state?.status === 'refused') return true;
    const code = holdOf(state);
    if (code === null) return false;
    if (!expected.has(code)) throw new Error(`the job is held: ${code}`);
    missed ??= unstruck();
    holds = holds.filter((one) => one !== code);
    if (holds.length === 0) scene.simulator.controls.clearFaults();
    await scene.shop.store.jobs.resume(scene.job);
    return false;
  });
  if (holds.length > 0) throw new Error(`the job was never held: ${holds.join()}`);
  return missed ?? unstruck();
}

function attemptsOf(rows: readonly Row[]): number {
  return rows.length === 0 ? 1 : Math.max(...rows.map((row) => row.maxAttempts ?? MANY_ATTEMPTS));
}

function holdOf(state: JobState | null): string | null {
  return state?.status === 'planned' && state.intent.kind === 'hold' ? state.intent.code : null;
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`not within ${PATIENCE_MS} ms`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function wordsOf({ level, code, message }: Notice): string {
  return `${level} ${code}: ${message}`;
}
