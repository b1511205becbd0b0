/** The import table of the house: what the files of each room may name. */

export interface Room {
  /** The folder of the room, or the one file of it. */
  readonly place: string;
  /** Folders and files of the house that may be imported; the room itself always may. */
  readonly may: readonly string[];
  /** Places and packages of which types may be imported, and nothing that is left at run time. */
  readonly types?: readonly string[];
  readonly packages?: readonly string[];
  /** Built-in modules, without `node:`; `*` for all of them. */
  readonly builtIns?: readonly string[];
}

const PURE = ['path', 'crypto', 'buffer'];
const LOCAL_FILES = [...PURE, 'fs', 'fs/promises', 'stream', 'stream/promises', 'zlib'];
const MEANING = ['src/domain/', 'src/ports/', 'src/jsonl/'];
/** What an adapter needs of the domain at run time: its errors and the shapes of its ids. */
const ERRORS_AND_IDS = ['src/domain/errors.ts', 'src/domain/ids.ts'];

/** The first room whose place fits a file is the file's room. */
export const ROOMS: readonly Room[] = [
  {
    place: 'config/',
    may: [],
    packages: ['zod'],
    builtIns: ['fs', 'os', 'path', 'util'],
  },
  { place: 'src/domain/', may: [] },
  { place: 'src/ports/', may: [], types: ['src/domain/'] },
  {
    place: 'src/jsonl/',
    may: [],
    builtIns: ['buffer', 'crypto', 'fs', 'stream', 'stream/promises'],
  },
  // The engines: long synchronous work over local files, run in threads.
  { place: 'src/stages/plan/', may: ['src/stages/', ...MEANING], builtIns: LOCAL_FILES },
  { place: 'src/stages/answers/', may: ['src/stages/', ...MEANING], builtIns: LOCAL_FILES },
  { place: 'src/stages/', may: MEANING, builtIns: PURE },
  { place: 'src/service/', may: ['src/stages/', ...MEANING], builtIns: ['crypto'] },
  adapter('blob', []),
  adapter('bullmq', ['bullmq', '@bull-board/api', '@bull-board/express']),
  adapter('file', []),
  adapter('log', ['pino']),
  adapter('metrics', ['prom-client']),
  adapter('openai', ['openai']),
  adapter('redis', ['ioredis']),
  adapter('system', []),
  adapter('webhook', ['ipaddr.js', 'standardwebhooks']),
  {
    place: 'src/http/',
    may: ['src/service/', 'src/domain/errors.ts', 'src/domain/ids.ts'],
    // The SDK's types: what OpenAI's clients expect is checked against them.
    types: ['src/domain/', 'src/ports/', 'openai'],
    packages: ['zod', 'express', 'express-rate-limit', 'helmet', 'busboy'],
    // Files: bodies are taken into scratch folders that are given to it, and nothing else.
    builtIns: ['fs/promises', 'http', 'net', 'path', 'stream', 'stream/promises', 'util', 'zlib'],
  },
  {
    place: 'src/cli/',
    may: [
      'src/compose.ts',
      'src/composition/probes.ts',
      'src/composition/health.ts',
      'src/composition/service-process.ts',
      'src/composition/worker.ts',
      'src/version.ts',
      'src/http/contract/',
      // Where the objects of a job lie; the commands deliver and prune them.
      'src/stages/names.ts',
      'src/service/',
      'src/domain/',
      'src/simulator/',
      'config/',
    ],
    types: ['src/ports/'],
    packages: ['commander', 'zod'],
    builtIns: [
      ...LOCAL_FILES,
      'events',
      'http',
      'https',
      'module',
      'os',
      'readline/promises',
      'timers/promises',
      'util',
    ],
  },
  { place: 'src/dashboard/', may: [] },
  { place: 'src/simulator/', may: [], packages: ['express'], builtIns: ['*'] },
  composition('src/compose.ts'),
  // Those that meet HTTP; a command or a worker opens no door.
  door('src/composition/admission.ts'),
  door('src/composition/operations.ts'),
  door('src/composition/serve.ts'),
  door('src/composition/service-process.ts'),
  composition('src/composition/'),
  {
    place: 'src/tasks.ts',
    may: ['src/adapters/system/thread-host.ts', 'src/stages/engines.ts'],
  },
  { place: 'src/version.ts', may: [], builtIns: ['fs', 'path'] },
  {
    place: 'workers/',
    may: ['src/composition/worker.ts', 'src/domain/errors.ts', 'config/'],
    types: ['src/ports/'],
    builtIns: ['url'],
  },
];

function adapter(vendor: string, packages: readonly string[]): Room {
  return {
    place: `src/adapters/${vendor}/`,
    may: ['src/ports/', ...ERRORS_AND_IDS],
    types: ['src/domain/'],
    packages,
    builtIns: ['*'],
  };
}

function composition(place: string): Room {
  return {
    place,
    may: [
      'src/compose.ts',
      'src/composition/',
      'src/version.ts',
      'src/adapters/',
      'src/service/',
      'src/stages/',
      ...MEANING,
      'config/',
    ],
    builtIns: ['*'],
  };
}

/** Composition that meets the doors too. */
function door(place: string): Room {
  const room = composition(place);
  return { ...room, may: [...room.may, 'src/http/'], packages: ['express'] };
}

/** The room of a file; null where it has none. */
export function roomOf(path: string): Room | null {
  return ROOMS.find((room) => isIn(path, room.place)) ?? null;
}

/** Whether the file is the place, or lies in it. */
export function isIn(path: string, place: string): boolean {
  return place.endsWith('/') ? path.startsWith(place) : path === place;
}
