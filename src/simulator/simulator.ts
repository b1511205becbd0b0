/**
 * The simulator: a Batch and Files API server over HTTP with a seeded world behind it, virtual
 * time, faults by name, and a ledger of everything that was executed. It shares no code with the
 * client side, so that two mistakes cannot agree.
 */

import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { BatchShelf } from './batches/shelf.ts';
import { VirtualClock } from './clock.ts';
import { Controls } from './controls.ts';
import { EventLog } from './events.ts';
import { FaultSwitches } from './faults/switches.ts';
import { FileShelf } from './files/shelf.ts';
import { Gates } from './http/gates.ts';
import { listen } from './http/server.ts';
import { Ledger } from './ledger/ledger.ts';
import { settle, type SimulatorOptions } from './options.ts';
import type { World } from './world.ts';

export interface Simulator {
  /** What a client takes as its base URL; ends with /v1. */
  readonly url: string;
  readonly port: number;
  readonly ledger: Ledger;
  readonly controls: Controls;
  /** Cuts every connection, stops every batch, removes the files if their folder was its own. */
  close(): Promise<void>;
}

/** Resolves when the server listens. Rejects where it cannot, with the system's error. */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const folder = await makeFolder(options.dataDir);
  const world = makeWorld(options, folder);
  const controls = new Controls(world);
  const host = options.host ?? '127.0.0.1';
  const server = await listen(world, controls, host, options.port ?? 0);
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}/v1`,
    port,
    ledger: world.ledger,
    controls,
    async close() {
      await closeServer(server);
      await world.clock.close();
      if (options.dataDir === undefined) await rm(folder, { recursive: true, force: true });
    },
  };
}

async function makeFolder(wanted: string | undefined): Promise<string> {
  if (wanted === undefined) return mkdtemp(path.join(tmpdir(), 'batchwright-simulator-'));
  await mkdir(wanted, { recursive: true });
  return path.resolve(wanted);
}

function makeWorld(options: SimulatorOptions, folder: string): World {
  const settings = settle(options);
  const { seed, startAtMs, expireFiles } = settings;
  const events = new EventLog();
  const clock = new VirtualClock({
    startAtMs,
    factor: settings.timeFactor,
    manual: settings.manualClock,
  });
  return {
    settings,
    clock,
    events,
    faults: new FaultSwitches(seed, events, options.faults ?? []),
    gates: new Gates(),
    files: new FileShelf({ folder, seed, expireFiles }, clock, events),
    batches: new BatchShelf(seed, events),
    ledger: new Ledger(),
  };
}

async function closeServer(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  await closed;
}
