/** Points of `node:fs`: its synchronous calls, and those with a callback that streams use. */

import fs from 'node:fs';

import type { ObjectNames } from './objects.ts';
import type { Striker } from './striker.ts';

type Call = (...args: unknown[]) => unknown;
type Callback = (error: unknown, ...values: unknown[]) => void;

/** Flags of `open` that can make a file. */
const MAKES = /[wa]/;

/** `descriptors` gets the path of every file that is opened. */
export function patchSyncFiles(
  striker: Striker,
  names: ObjectNames,
  descriptors: Map<number, string>,
): void {
  const around = (object: string | null, verb: string, call: () => unknown): unknown => {
    if (object === null) return call();
    striker.reach(object, 'before', verb);
    const value = call();
    striker.reach(object, 'after', verb);
    return value;
  };
  patch('openSync', (call, path, flags, ...rest) => {
    const object = MAKES.test(String(flags)) ? names.of(String(path)) : null;
    const descriptor = around(object, 'open', () => call(path, flags, ...rest)) as number;
    descriptors.set(descriptor, String(path));
    return descriptor;
  });
  patch('writeSync', (call, descriptor, bytes, ...rest) => {
    const object = names.of(descriptors.get(descriptor as number) ?? '');
    if (object !== null && bytes instanceof Uint8Array) {
      tear(striker, object, call, descriptor as number, bytes, rest);
    }
    return around(object, 'write', () => call(descriptor, bytes, ...rest));
  });
  patch('fsyncSync', (call, descriptor) => {
    const object = names.of(descriptors.get(descriptor as number) ?? '');
    return around(object, 'flush', () => call(descriptor));
  });
  for (const name of ['rmSync', 'unlinkSync'] as const) {
    patch(name, (call, path, ...rest) =>
      around(names.of(String(path)), 'remove', () => call(path, ...rest)),
    );
  }
  patch('mkdirSync', (call, path, ...rest) =>
    around(names.of(String(path)), 'make', () => call(path, ...rest)),
  );
}

/** `descriptors` is shared with the synchronous calls. */
export function patchCallbackFiles(
  striker: Striker,
  names: ObjectNames,
  descriptors: Map<number, string>,
): void {
  const around = (object: string | null, verb: string, call: Call, args: unknown[]): void => {
    const done = args.at(-1) as Callback;
    if (object === null) return void call(...args);
    const reach = (moment: 'before' | 'after'): unknown => {
      try {
        striker.reach(object, moment, verb);
        return null;
      } catch (error) {
        return error;
      }
    };
    const refused = reach('before');
    if (refused !== null) {
      process.nextTick(done, refused);
      return;
    }
    call(...args.slice(0, -1), (error: unknown, ...values: unknown[]) => {
      done(error ?? reach('after'), ...values);
    });
  };
  patch('open', (call, ...args) => {
    const done = args.at(-1) as Callback;
    const object = MAKES.test(String(args[1])) ? names.of(String(args[0])) : null;
    around(object, 'open', call, [
      ...args.slice(0, -1),
      (error: unknown, descriptor: number) => {
        if (typeof descriptor === 'number') descriptors.set(descriptor, String(args[0]));
        done(error, descriptor);
      },
    ]);
  });
  for (const [name, verb] of [
    ['write', 'write'],
    ['writev', 'write'],
    ['fsync', 'flush'],
  ] as const) {
    patch(name, (call, ...args) =>
      around(names.of(descriptors.get(args[0] as number) ?? ''), verb, call, args),
    );
  }
}

function patch(name: keyof typeof fs, replacement: (call: Call, ...args: unknown[]) => unknown) {
  const call = (fs[name] as Call).bind(fs);
  Object.assign(fs, { [name]: (...args: unknown[]) => replacement(call, ...args) });
}

/** Half of the bytes, where the write has to be struck in the middle. */
function tear(
  striker: Striker,
  object: string,
  call: Call,
  descriptor: number,
  bytes: Uint8Array,
  [offset, length, position]: unknown[],
): void {
  const start = typeof offset === 'number' ? offset : 0;
  const size = typeof length === 'number' ? length : bytes.length - start;
  if (size < 2) return;
  const strike = striker.due(object, 'torn', 'write');
  if (strike === null) return;
  call(descriptor, bytes, start, size >> 1, position);
  strike();
}
