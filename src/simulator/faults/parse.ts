/** Reads a fault switch from a command line or a JSON body. */

import { type FaultName, SIMULATOR_FAULTS } from './names.ts';
import type { FaultSwitch } from './switches.ts';

const NUMBERS = ['rate', 'times', 'calls', 'forMs', 'delayMs', 'retryAfterSeconds', 'share'];
const TEXTS = ['seed', 'match'];

/**
 * Reads `name`, `name=rate` or `name=rate,times=3,match=text`: every field of a switch may follow.
 * Throws an Error that says what is wrong.
 */
export function parseSimulatorFault(text: string): FaultSwitch {
  const [head = '', ...rest] = text.split(',');
  const [name = '', rate] = head.split('=');
  const fields: Record<string, unknown> = { name };
  if (rate !== undefined) fields['rate'] = Number(rate);
  for (const pair of rest) {
    const [key = '', value = ''] = pair.split('=');
    fields[key] = NUMBERS.includes(key) ? Number(value) : value;
  }
  return checkSimulatorFault(fields);
}

/** The value as a fault switch; throws an Error that says what is wrong. */
export function checkSimulatorFault(value: unknown): FaultSwitch {
  if (typeof value !== 'object' || value === null) throw new Error('a fault is an object');
  const fields = value as Record<string, unknown>;
  const name = fields['name'];
  if (typeof name !== 'string' || !SIMULATOR_FAULTS.has(name)) {
    throw new Error(`unknown fault: ${String(name)}`);
  }
  for (const [key, field] of Object.entries(fields)) {
    if (key === 'name') continue;
    if (!NUMBERS.includes(key) && !TEXTS.includes(key)) throw new Error(`${name}: unknown ${key}`);
    if (NUMBERS.includes(key) && !(typeof field === 'number' && field >= 0)) {
      throw new Error(`${name}: ${key} must be a number, 0 or more`);
    }
  }
  return { ...fields, name: name as FaultName };
}
