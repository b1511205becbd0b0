/** What a thread pool and its threads say to each other. */

import { Refusal } from '../../domain/errors.ts';
import type { RefusalCode } from '../../domain/errors.ts';

/** To the thread: run the task; its number comes back with the answer. */
export interface TaskOrder {
  readonly number: number;
  readonly task: string;
  readonly input: unknown;
}

/** From the thread. */
export type TaskAnswer =
  | { readonly number: number; readonly ok: true; readonly output: unknown }
  | { readonly number: number; readonly ok: false; readonly error: PortableError };

/** An error as it crosses threads: structured cloning would drop its code and its own name. */
export interface PortableError {
  readonly name: string;
  readonly message: string;
  readonly code: string | undefined;
  readonly stack: string | undefined;
}

/** Calls the task of that name; rejects where there is none. */
export async function callTask(
  tasks: Record<string, (input: never) => unknown>,
  task: string,
  input: unknown,
): Promise<unknown> {
  const body = Object.hasOwn(tasks, task) ? tasks[task] : undefined;
  if (body === undefined) throw new Error(`no task is called ${task}`);
  return body(input as never);
}

/** The error as data. */
export function packError(thrown: unknown): PortableError {
  if (!(thrown instanceof Error)) {
    return { name: 'Error', message: String(thrown), code: undefined, stack: undefined };
  }
  const { code } = thrown as { code?: unknown };
  return {
    name: thrown.name,
    message: thrown.message,
    code: typeof code === 'string' ? code : undefined,
    stack: thrown.stack,
  };
}

/** The error again: with its name, message, code and stack, and a refusal as a `Refusal`. */
export function unpackError(packed: PortableError): Error {
  const { name, message, code, stack } = packed;
  const error = name === 'Refusal' ? new Refusal(code as RefusalCode, message) : new Error(message);
  if (error.name !== name) Object.defineProperty(error, 'name', { value: name });
  if (stack !== undefined) error.stack = stack;
  return code === undefined ? error : Object.assign(error, { code });
}
