/** Points of `node:fs/promises` and of the file handles that it opens. */

import fs from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';

import type { ObjectNames } from './objects.ts';
import type { Striker } from './striker.ts';

type Call = (...args: unknown[]) => Promise<unknown>;

/** Flags of `open` that can make a file. */
const MAKES = /[wa]/;

export async function patchPromisedFiles(striker: Striker, names: ObjectNames): Promise<void> {
  const paths = new WeakMap<object, string>();
  const around = aroundOf(striker);
  patchHandles(await handlePrototype(), striker, names, paths, around);
  patchOpen(names, paths, around);
  patch('link', (call, from, to) =>
    around(names.placed(String(from), String(to)), 'link', () => call(from, to)),
  );
  patch('rename', (call, from, to) =>
    around(names.placed(String(from), String(to)), 'rename', () => call(from, to)),
  );
  for (const name of ['unlink', 'rm'] as const) {
    patch(name, (call, path, ...rest) =>
      around(names.of(String(path)), 'remove', () => call(path, ...rest)),
    );
  }
  patch('mkdir', (call, path, ...rest) =>
    around(names.of(String(path)), 'make', () => call(path, ...rest)),
  );
  patchCopy(striker, names, around);
}

/** The call with its point before and its point after; without an object there are none. */
type Around = (
  object: string | null,
  verb: string,
  call: () => Promise<unknown>,
) => Promise<unknown>;

function aroundOf(striker: Striker): Around {
  return async (object, verb, call) => {
    if (object === null) return call();
    striker.reach(object, 'before', verb);
    const value = await call();
    striker.reach(object, 'after', verb);
    return value;
  };
}

async function handlePrototype(): Promise<FileHandle> {
  const handle = await fs.open(import.meta.filename, 'r');
  await handle.close();
  return Object.getPrototypeOf(handle) as FileHandle;
}

function patch(name: keyof typeof fs, replacement: (call: Call, ...args: unknown[]) => unknown) {
  const call = (fs[name] as Call).bind(fs);
  Object.assign(fs, { [name]: (...args: unknown[]) => replacement(call, ...args) });
}

function patchOpen(names: ObjectNames, paths: WeakMap<object, string>, around: Around): void {
  patch('open', async (call, path, flags, ...rest) => {
    const object = MAKES.test(String(flags)) ? names.of(String(path)) : null;
    const handle = (await around(object, 'open', () => call(path, flags, ...rest))) as object;
    paths.set(handle, String(path));
    return handle;
  });
}

function patchHandles(
  prototype: FileHandle,
  striker: Striker,
  names: ObjectNames,
  paths: WeakMap<object, string>,
  around: Around,
): void {
  const methods = prototype as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
  const replace = (
    name: string,
    replacement: (call: Call, path: string, args: unknown[]) => Promise<unknown>,
  ): void => {
    const original = methods[name];
    if (original === undefined) throw new Error(`a file handle has no ${name}`);
    methods[name] = function (this: object, ...args: unknown[]) {
      const call: Call = (...own) => original.apply(this, own);
      return replacement(call, paths.get(this) ?? '', args);
    };
  };
  for (const name of ['writeFile', 'appendFile', 'write']) {
    replace(name, async (call, path, args) => {
      names.learn(path, args[0]);
      const object = names.of(path);
      if (object !== null) await tear(striker, object, call, args[0]);
      return around(object, 'write', () => call(...args));
    });
  }
  for (const name of ['sync', 'datasync']) {
    replace(name, (call, path, args) =>
      around(names.of(path), names.flushVerb(path), () => call(...args)),
    );
  }
}

/** Half of the bytes, where the write has to be struck in the middle. */
async function tear(striker: Striker, object: string, call: Call, bytes: unknown): Promise<void> {
  if (!(bytes instanceof Uint8Array) || bytes.length < 2) return;
  const strike = striker.due(object, 'torn', 'write');
  if (strike === null) return;
  await call(bytes.subarray(0, bytes.length >> 1));
  strike();
}

function patchCopy(striker: Striker, names: ObjectNames, around: Around): void {
  const { readFile, writeFile } = fs;
  patch('copyFile', async (call, from, to, ...rest) => {
    const object = names.of(String(to));
    const strike = object === null ? null : striker.due(object, 'torn', 'copy');
    if (strike !== null) {
      const bytes = await readFile(String(from));
      await writeFile(String(to), bytes.subarray(0, bytes.length >> 1));
      strike();
    }
    return around(object, 'copy', () => call(from, to, ...rest));
  });
}
