/** The points by name, the scenarios that reach each, and which of them a kill is tried at. */

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { EVENT_OBJECTS } from './objects.ts';

const PATH = join(import.meta.dirname, 'points.txt');

/** Between a point and its scenarios, and between those. */
const SEPARATOR = ' | ';

/** Point → names of the scenarios that reach it, both in a stable order. */
export type Points = ReadonlyMap<string, readonly string[]>;

/** The points of the last `--record`. */
export async function readPoints(): Promise<Points> {
  const lines = (await readFile(PATH, 'utf8')).split('\n').filter((line) => line !== '');
  return new Map(
    lines.map((line): [string, string[]] => {
      const [point = '', ...scenarios] = line.split(SEPARATOR);
      return [point, scenarios];
    }),
  );
}

export async function writePoints(points: Points): Promise<void> {
  const lines = [...points].map(([point, by]) => [point, ...by].join(SEPARATOR)).toSorted();
  await writeFile(PATH, lines.map((line) => `${line}\n`).join(''));
}

/** By the object, and by the moment and verb. */
const KILLS: readonly (readonly [RegExp, RegExp])[] = [
  [/./, /^(before|after) (link|rename|ring|answer)$/],
  [/^(call|board)/, /^(before|torn|after) send$/],
  // What has no name yet is read by nobody: torn events stand for one another.
  [/event (created|planned|merged|uploaded|submitting|submitted|settled)$/, /^torn write$/],
  [/^(?!(chunk|job) event)/, /^torn (write|copy)$/],
  [/^(open mark|part|source|doomed folder|embedded Redis.*)$/, /^(before|after) remove$/],
  [/^scratch \w+ folder$/, /^before remove$/],
  [/^store folder$/, /^after make$/],
  [/^unfinished write$/, /^after open$/],
];

/** Events at whose append no kill would be tried: then nobody knows what a death there does. */
export function eventsWithoutPoints(points: Points): string[] {
  const objects = [...points.keys()].filter(isKillPoint).map((point) => point.split(': ')[0] ?? '');
  // Events of one type that come about in different ways have names that begin alike.
  const isReached = (event: string): boolean =>
    objects.some((object) => object === event || object.startsWith(`${event} `));
  return EVENT_OBJECTS.filter((event) => !isReached(event));
}

/** Nothing of the world differs before and after these. */
const IDLE = /^board slot listing/;

/**
 * Whether a kill there may show something that no other point shows. To a process that dies,
 * not the machine, a flush changes nothing; neither does opening or removing a file without its
 * name.
 */
export function isKillPoint(point: string): boolean {
  const [object = '', moment = ''] = point.split(': ');
  if (IDLE.test(object)) return false;
  return KILLS.some(([of, at]) => of.test(object) && at.test(moment));
}
