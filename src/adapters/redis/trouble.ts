/** What errors of Redis mean, in words that name the way out. */

/** `away`: it cannot be reached; `lost`: it has forgotten a bell that was being answered. */
export type TroubleKind =
  | 'away'
  | 'lost'
  | 'memory'
  | 'read_only'
  | 'persistence'
  | 'loading'
  | 'password'
  | 'database'
  | 'permission';

/** An error of Redis or of the way to it; the original is its `cause`. */
export class RedisTrouble extends Error {
  override readonly name = 'RedisTrouble';
  readonly kind: TroubleKind;

  constructor(kind: TroubleKind, message: string, cause: unknown) {
    super(message, { cause });
    this.kind = kind;
  }
}

/**
 * The error of a command as trouble of Redis; any other error comes back as it is. Only for what
 * a client of Redis threw: files time out and name their system calls as well.
 */
export function inWords(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof RedisTrouble) return error;
  const found = TROUBLES.find(([, pattern]) => pattern.test(error.message));
  if (found !== undefined) return new RedisTrouble(found[0], `${found[2]}.`, error);
  // An error of a file names its path.
  if (!('syscall' in error) || 'path' in error) return error;
  return away(error);
}

/** What a connection failed by: whatever it is, Redis cannot be reached. */
export function inWordsOfConnection(error: Error): RedisTrouble {
  const trouble = inWords(error);
  return trouble instanceof RedisTrouble ? trouble : away(error);
}

/** Whether only a person can end it: waiting is of no use when Redis is opened. */
export function needsPerson(kind: TroubleKind): boolean {
  return ['password', 'database', 'permission', 'read_only'].includes(kind);
}

function away(error: Error): RedisTrouble {
  const reason = (error as NodeJS.ErrnoException).code ?? error.message;
  return new RedisTrouble('away', `Redis is away (${reason}); waiting for it.`, error);
}

const NOTHING_LOST = 'nothing is lost, and work goes on by itself then';

/** The first word of a reply says what it is; scripts put it behind words of their own. */
const TROUBLES: readonly (readonly [TroubleKind, RegExp, string])[] = [
  [
    'memory',
    /\bOOM\b/,
    `Redis is out of memory: raise its maxmemory or remove other keys; ${NOTHING_LOST}`,
  ],
  [
    'read_only',
    /\bREADONLY\b|\bUNBLOCKED\b.*replica/,
    `Redis is a read-only replica: let REDIS_URL name the primary; ${NOTHING_LOST}`,
  ],
  [
    'persistence',
    /\bMISCONF\b/,
    `Redis cannot save to its disk and refuses writes: its log says why; ${NOTHING_LOST}`,
  ],
  ['loading', /\bLOADING\b/, 'Redis is loading its data; waiting for it'],
  [
    'password',
    /\b(NOAUTH|WRONGPASS)\b|invalid password/,
    'Redis refuses the name or the password: correct REDIS_URL',
  ],
  [
    'database',
    /DB index is out of range|invalid DB index/,
    'Redis has no database of that number: correct the end of REDIS_URL',
  ],
  ['permission', /\bNOPERM\b/, 'Redis forbids this user a command or a key that is needed'],
  ['lost', /^Missing (key|lock) for job/, 'Redis has lost bells; the next sweep rings again'],
  [
    'away',
    /Connection is closed|isn't writeable|timed out|max retries per request|Command aborted/,
    'Redis is away; waiting for it',
  ],
];
