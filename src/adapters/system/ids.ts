/** Unique names from the system's random source. */

import { randomBytes } from 'node:crypto';

import { invariant } from '../../domain/errors.ts';
import { ID_ALPHABET, ID_TIME_CHARACTERS, parseFileId, parseJobId } from '../../domain/ids.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Ids } from '../../ports/ids.ts';

const RANDOM_CHARACTERS = 16;
const NONCE_CHARACTERS = 20;

/** Ids whose time is the clock's wall time. */
export function createIds(clock: Pick<Clock, 'wallMs'>): Ids {
  const body = (): string => `${timePart(clock.wallMs())}${randomPart(RANDOM_CHARACTERS)}`;
  return {
    job() {
      const id = parseJobId(`job_${body()}`);
      invariant(id !== null, 'a new job id has the shape of one');
      return id;
    },
    file() {
      const id = parseFileId(`file-${body()}`);
      invariant(id !== null, 'a new file id has the shape of one');
      return id;
    },
    nonce: () => randomPart(NONCE_CHARACTERS),
  };
}

/** The milliseconds as 48 bits, most significant first. */
function timePart(wallMs: number): string {
  let rest = Math.floor(wallMs) % 2 ** 48;
  let text = '';
  for (let index = 0; index < ID_TIME_CHARACTERS; index += 1) {
    text = ID_ALPHABET.charAt(rest % 32) + text;
    rest = Math.floor(rest / 32);
  }
  return text;
}

function randomPart(characters: number): string {
  // 256 is a multiple of 32: each byte's low five bits are evenly spread.
  return Array.from(randomBytes(characters), (byte) => ID_ALPHABET.charAt(byte % 32)).join('');
}
