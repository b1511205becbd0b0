/** The real service within a test: real HTTP, Redis and files, a simulated provider. */

import { homedir } from 'node:os';
import { join } from 'node:path';

import { onTestFinished } from 'vitest';

import { type Config, loadConfig } from '../../config/load.ts';
import { createLog } from '../../src/adapters/log/log.ts';
import { type House, openHouse, openStore, type Store } from '../../src/compose.ts';
import type { Notice } from '../../src/ports/notices.ts';
import { openService } from '../../src/composition/serve.ts';
import type { SimulatorOptions } from '../../src/simulator/options.ts';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { requireDeclared } from './declared.ts';
import { temporaryFolder } from './temporary-folder.ts';

export interface ServiceScene {
  /** Without a slash at its end. */
  readonly url: string;
  readonly config: Config;
  readonly store: Store;
  readonly house: House;
  readonly simulator: Simulator;
  readonly notices: readonly Notice[];
  /** What the service has logged, one JSON object each. */
  readonly lines: readonly string[];
}

export interface ServiceWish {
  readonly simulator?: SimulatorOptions;
  readonly env?: Readonly<Record<string, string>>;
  /** False: nobody works on jobs; the default is all queues in this process. */
  readonly workers?: boolean;
}

/** Addresses of services; simulators are called by the same means and promise less. */
const services = new Set<string>();

/** Opens a service that goes with the test; short waits, so that minutes are moments. */
export async function openServiceScene(wish: ServiceWish = {}): Promise<ServiceScene> {
  const folder = await temporaryFolder();
  const simulator = await startSimulator({ seed: 5, timeFactor: 3_600, ...wish.simulator });
  const env = {
    PATH: process.env['PATH'],
    OPENAI_BASE_URL: simulator.url,
    BATCHWRIGHT_DATA_DIR: join(folder, 'data'),
    BATCHWRIGHT_RUNTIME_DIR: join(folder, 'run'),
    BATCHWRIGHT_CACHE_DIR: join(homedir(), '.cache', 'batchwright'),
    BATCHWRIGHT_PORT: '0',
    BATCHWRIGHT_POLL_INTERVAL_MS: '50',
    BATCHWRIGHT_ATTEMPT_PAUSE_MS: '100',
    BATCHWRIGHT_RETRY_BASE_MS: '50',
    BATCHWRIGHT_SWEEP_INTERVAL_MS: '500',
    BATCHWRIGHT_CREATE_SETTLE_MS: '1500',
    BATCHWRIGHT_MIN_FREE_BYTES: '1000000',
    ...wish.env,
  };
  const config = loadConfig({}, { folder, env });
  const store = openStore(config);
  const notices: Notice[] = [];
  const house = await openHouse(config, store, { tell: (notice) => void notices.push(notice) });
  const lines: string[] = [];
  const log = createLog({ level: 'debug', write: (line) => void lines.push(line), secrets: [] });
  const service = await openService(config, store, house, log);
  const workers = wish.workers === false ? null : await house.start();
  onTestFinished(async () => {
    await service.close(1_000);
    await workers?.stop(2_000);
    await house.close();
    await store.close();
    await simulator.close();
  });
  services.add(service.url);
  return { url: service.url, config, store, house, simulator, notices, lines };
}

/** What a call was answered with. */
export interface Called {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // The tests say what they expect of it.
  readonly json: Record<string, unknown>;
}

/**
 * One call; a body that is no text or bytes is sent as JSON. Fails where a service answers in a
 * way that its contract does not tell of.
 */
export async function call(
  method: string,
  url: string,
  { body, headers }: { body?: unknown; headers?: Record<string, string> } = {},
): Promise<Called> {
  const isRaw = body === undefined || typeof body === 'string' || body instanceof Uint8Array;
  const response = await fetch(url, {
    method,
    headers: { ...(isRaw ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: isRaw ? body : JSON.stringify(body) }),
  });
  if (services.has(new URL(url).origin)) await requireDeclared(method, url, response.status);
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') === true;
  const json = isJson && text !== '' ? (JSON.parse(text) as Record<string, unknown>) : {};
  return { status: response.status, headers: response.headers, text, json };
}
