/** The whole house in this process, on a data directory of its own, with a hand on its clock. */

import { join } from 'node:path';
import type { Config } from '../../config/load.ts';
import { loadConfig } from '../../config/load.ts';
import { createJournal } from '../../src/adapters/blob/journal.ts';
import { createFileBlobStore } from '../../src/adapters/file/blob-store.ts';
import { createFileScratch } from '../../src/adapters/file/scratch.ts';
import { createOpenAiProvider } from '../../src/adapters/openai/provider.ts';
import { createIds } from '../../src/adapters/system/ids.ts';
import { createInlinePool } from '../../src/adapters/system/inline-pool.ts';
import type { House, Store } from '../../src/compose.ts';
import { openHouse, providerIdentity } from '../../src/compose.ts';
import { Weather } from '../../src/domain/errors.ts';
import type { BatchProvider } from '../../src/ports/batch-provider.ts';
import type { Journal } from '../../src/ports/journal.ts';
import type { Notices } from '../../src/ports/notices.ts';
import { Alerts } from '../../src/service/alerts.ts';
import { JobViews } from '../../src/service/job-views.ts';
import { Jobs } from '../../src/service/jobs.ts';
import { Results } from '../../src/service/results.ts';
import type { RunningWorkers } from '../../src/service/workers.ts';
import { engines } from '../../src/stages/engines.ts';
import { Sightings } from '../../src/stages/sightings.ts';
import type { Tools } from '../../src/stages/tools.ts';
import type { MovingClock } from './moving-clock.ts';

/** What takes minutes at a provider takes moments here. */
const HASTE = {
  BATCHWRIGHT_POLL_INTERVAL_MS: '10',
  BATCHWRIGHT_ATTEMPT_PAUSE_MS: '5',
  BATCHWRIGHT_RETRY_BASE_MS: '5',
  BATCHWRIGHT_RETRY_MAX_MS: '80',
  BATCHWRIGHT_TOKEN_PAUSE_BASE_MS: '20',
  BATCHWRIGHT_TOKEN_PAUSE_MAX_MS: '100',
  BATCHWRIGHT_SWEEP_INTERVAL_MS: '100',
  BATCHWRIGHT_CREATE_SETTLE_MS: '200',
  BATCHWRIGHT_CREATE_TIMEOUT_MS: '250',
  BATCHWRIGHT_MISSING_ALERT_MS: '100',
};

/** The same for the times that are no settings: a silent connection is given up after them. */
export const TIMEOUTS = { callMs: 250, stallMs: 250, answerMs: 250 };

export interface WorkshopOptions {
  readonly dataDir: string;
  readonly baseUrl: string;
  readonly redisUrl: string;
  readonly clock: MovingClock;
  readonly settings: Readonly<Record<string, string>>;
  readonly notices: Notices;
  /** Is told of each call to the provider when it is over. */
  readonly onCall: (call: Call) => void;
  /** Is told the type of each event when it is written. */
  readonly onEvent?: (type: string) => void;
}

/** One call to the provider, with monotonic times. */
export interface Call {
  /** Its name and what it is about: calls of one key repeat each other. */
  readonly key: string;
  readonly startMs: number;
  readonly endMs: number;
  /** Kind, code and message of its failure; null: it succeeded. */
  readonly weather: string | null;
}

export interface Workshop {
  readonly config: Config;
  readonly store: Store;
  readonly house: House;
  close(): Promise<void>;
}

/** Opens store and house and starts the workers. */
export async function openWorkshop(options: WorkshopOptions): Promise<Workshop> {
  const { dataDir, baseUrl, redisUrl, clock, notices } = options;
  const env = {
    ...HASTE,
    OPENAI_BASE_URL: baseUrl,
    REDIS_URL: redisUrl,
    BATCHWRIGHT_DATA_DIR: dataDir,
    BATCHWRIGHT_RUNTIME_DIR: join(dataDir, 'run'),
    ...options.settings,
  };
  const config = loadConfig({}, { env, folder: dataDir });
  const store = storeOf(dataDir, clock, options.onEvent ?? ((): void => undefined));
  const house = await openHouse(config, store, notices);
  const provider = observed(providerOf(config), options.onCall);
  // The house has no settings for these: they are changed before the first bell.
  const changed: Partial<Tools> = {
    provider,
    sightings: new Sightings(provider, clock, 10),
  };
  Object.assign(house.tools, changed);
  const workers: RunningWorkers = await house.start();
  return {
    config,
    store,
    house,
    close: async () => {
      await workers.stop(2_000);
      await house.close();
      await store.close();
    },
  };
}

function storeOf(dataDir: string, clock: MovingClock, onEvent: (type: string) => void): Store {
  const blobs = createFileBlobStore(join(dataDir, 'store'));
  const scratch = createFileScratch(join(dataDir, 'scratch'));
  const ids = createIds(clock);
  const journal = listening(createJournal(blobs, ids, clock), onEvent);
  const views = new JobViews(blobs, journal);
  return {
    blobs,
    scratch,
    clock,
    ids,
    journal,
    views,
    jobs: new Jobs(blobs, journal, views, ids, clock),
    results: new Results(blobs, views),
    alerts: new Alerts(blobs, journal, clock),
    engines: createInlinePool(engines),
    close: () => Promise.resolve(),
  };
}

function listening(journal: Journal, onEvent: (type: string) => void): Journal {
  return {
    load: (stream) => journal.load(stream),
    history: (stream) => journal.history(stream),
    append: async (stream, version, event, state) => {
      const answer = await journal.append(stream, version, event, state);
      const { type } = event as { type?: string };
      if (answer.status === 'appended' && type !== undefined) onEvent(type);
      return answer;
    },
  };
}

function providerOf(config: Config): BatchProvider {
  return createOpenAiProvider({
    ...providerIdentity(config),
    apiKey: 'none',
    userAgent: 'batchwright/matrix',
    profile: config.profile,
    timeouts: TIMEOUTS,
  });
}

function observed(provider: BatchProvider, onCall: (call: Call) => void): BatchProvider {
  return new Proxy(provider, {
    get: (target, name: keyof BatchProvider) => {
      const method = target[name] as (...all: unknown[]) => Promise<unknown>;
      return async (...all: unknown[]): Promise<unknown> => {
        const startMs = performance.now();
        const key = `${name} ${subjectOf(all[0])}`;
        const over = (weather: string | null): void =>
          onCall({ key, startMs, endMs: performance.now(), weather });
        try {
          const value = await method.apply(target, all);
          over(null);
          return value;
        } catch (error) {
          if (error instanceof Weather) over(`${error.kind} ${error.code ?? ''} ${error.message}`);
          throw error;
        }
      };
    },
  });
}

/** The id of the file or batch, or the path of what is uploaded. */
function subjectOf(argument: unknown): string {
  if (typeof argument !== 'object' || argument === null) return String(argument);
  const fields = argument as { localPath?: string; inputFileId?: string };
  return fields.localPath ?? fields.inputFileId ?? '';
}
