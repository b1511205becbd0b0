/** What a path of the program is called in the names of points; paths that are none are null. */

import { basename, dirname } from 'node:path';

import { CHUNK_EVENTS, JOB_EVENTS } from '../domain/support/samples.ts';

const JOB_EVENT_TYPES: ReadonlySet<string> = new Set(Object.keys(JOB_EVENTS));

/** Every event that the journal can hold, as an object of points. */
export const EVENT_OBJECTS: readonly string[] = [
  ...Object.keys(JOB_EVENTS).map((type) => `job event ${type}`),
  ...Object.keys(CHUNK_EVENTS).map((type) => `chunk event ${type}`),
];

/** Names by where a file lies in the data directory; the first that fits. */
const PLACES: readonly (readonly [RegExp, string])[] = [
  [/\/store\/local\/installation$/, 'installation'],
  [/\/store\/local\/keys\/[^/]+\/[^/]+$/, 'run key'],
  [/\/store\/local\/open\/[^/]+$/, 'open mark'],
  [/\/store\/local\/sources\/[^/]+$/, 'source'],
  [/\/jobs\/[^/]+\/journal\/job\/[^/]+$/, 'job event'],
  [/\/jobs\/[^/]+\/journal\/[^/]+\/[^/]+$/, 'chunk event'],
  [/\/jobs\/[^/]+\/plan\.json$/, 'plan'],
  [/\/jobs\/[^/]+\/settled\/[^/]+$/, 'settled mark'],
  [/\/jobs\/[^/]+\/result\.jsonl$/, 'result'],
  [/\/jobs\/[^/]+\/manifest\.json$/, 'manifest'],
  [/\/chunks\/[^/]+\/requests\.jsonl$/, 'chunk requests'],
  [/\/chunks\/[^/]+\/lines\.idx$/, 'chunk line index'],
  [/\/chunks\/[^/]+\/ids\.bin$/, 'chunk ids'],
  [/\/chunks\/[^/]+\/rejected\.jsonl$/, 'chunk rejected lines'],
  [/\/chunks\/[^/]+\/quarantine\.jsonl$/, 'chunk quarantine'],
  [/\/chunks\/[^/]+\/part-[^/]+$/, 'part'],
  [/\/attempts\/[^/]+\/output\.jsonl$/, 'attempt output'],
  [/\/attempts\/[^/]+\/errors\.jsonl$/, 'attempt errors'],
  [/\/attempts\/[^/]+\/answers\.idx$/, 'attempt answer index'],
  [/\/attempts\/[^/]+$/, 'attempt folder'],
  [/\/store\/local\/jobs\/job_[^/]+$/, 'job folder'],
  [/\/store\/\.tmp\/deleted\.[^/]+$/, 'doomed folder'],
  [/\/store\/\.tmp\/(write|copy)\.[^/]+$/, 'unfinished write'],
  [/\/out\.jsonl\.manifest\.json(\.[^/]*\.tmp)?$/, 'delivered manifest'],
  [/\/out\.jsonl(\.[^/]*\.tmp)?$/, 'delivered result'],
  [/\/run\/[0-9a-f]{16}\.\d+\.sock$/, 'embedded Redis socket'],
  [/\/run\/[0-9a-f]{16}\.[0-9a-f]{8}$/, 'embedded Redis private socket'],
  [/\/store(\/|$)/, 'store folder'],
];

/** Scratch: `<label>.<owner's mark>/[c000000/]<file>`. */
const SCRATCH = /\/scratch\/([A-Za-z0-9_-]+)\.[^/]+(?:\/(.*))?$/;

/** Names paths, and remembers what it cannot see in the path itself. */
export class ObjectNames {
  readonly #unfinished = new Map<string, string>();
  readonly #lastIn = new Map<string, string>();

  /** The object at the path; null where it is none of the program's own. */
  of(path: string): string | null {
    const known = this.#unfinished.get(path) ?? this.#lastIn.get(path);
    if (known !== undefined) return known;
    const scratch = SCRATCH.exec(path);
    if (scratch !== null) return scratchName(scratch[1] ?? '', scratch[2]);
    return PLACES.find(([pattern]) => pattern.test(path))?.[1] ?? null;
  }

  /** A flush of a folder makes the name that was last given there durable. */
  flushVerb(path: string): 'flush' | 'folder flush' {
    return this.#lastIn.has(path) || this.of(path)?.endsWith('folder') === true
      ? 'folder flush'
      : 'flush';
  }

  /** What the content says that is about to be written to an unfinished file. */
  learn(path: string, content: unknown): void {
    if (this.of(path) !== 'unfinished write' || !(content instanceof Uint8Array)) return;
    this.#unfinished.set(path, contentName(Buffer.from(content).toString('utf8')));
  }

  /** The object that gets its name: what was learnt of the unfinished file, or what lies there. */
  placed(from: string, to: string): string | null {
    const learnt = this.#unfinished.get(from);
    const name = learnt ?? this.of(to);
    // A flush of the folder makes this name durable.
    if (name !== null) this.#lastIn.set(dirname(to), name);
    return name;
  }
}

function scratchName(label: string, inner: string | undefined): string {
  if (inner === undefined) return `scratch ${label} folder`;
  const name = basename(inner);
  return /^c\d+$/.test(name) ? `scratch ${label} chunk folder` : `scratch ${label} ${name}`;
}

function contentName(text: string): string {
  if (text === '') return 'open mark';
  if (text.startsWith('{\n')) return 'manifest';
  if (text.startsWith('{"eventId"')) return eventName(text);
  if (!text.startsWith('{')) return 'installation';
  return text.includes('"crc32"') && !text.includes('"chunks"') ? 'settled mark' : 'plan';
}

function eventName(text: string): string {
  const { event } = JSON.parse(text) as { event: Record<string, unknown> };
  const { type } = event;
  if (typeof type !== 'string') return 'run key';
  return `${JOB_EVENT_TYPES.has(type) ? 'job' : 'chunk'} event ${kindOf(type, event)}`;
}

/** Events of one type that come about in different ways are different objects. */
function kindOf(type: string, event: Record<string, unknown>): string {
  if (type === 'submitted' && event['adopted'] === true) return 'submitted by adoption';
  const wish = (event['wish'] ?? event['intent'] ?? event['next']) as { kind?: string } | undefined;
  return wish?.kind === undefined ? type : `${type} ${wish.kind}`;
}
