/** What every blob store must do, whatever lies beneath it. */

import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { BlobStore } from '../../src/ports/blob-store.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** `open` resolves to a new empty store of the running test's own. */
export function blobStoreContract(title: string, open: () => Promise<BlobStore>): void {
  describe(`${title} as a blob store`, () => {
    describe('writing', () => {
      writing(open);
    });
    describe('writing where nothing is', () => {
      writingIfAbsent(open);
    });
    describe('taking a local file in', () => {
      takingFiles(open);
    });
    describe('reading', () => {
      reading(open);
    });
    describe('listing and removing', () => {
      listing(open);
    });
    describe('naming', () => {
      naming(open);
    });
  });
}

function writing(open: () => Promise<BlobStore>): void {
  it('gives back the bytes that were put', async () => {
    const store = await open();
    await store.put('a/b/c.bin', bytes('hällo\u2028\u0000'));
    expect(await text(store, 'a/b/c.bin')).toBe('hällo\u2028\u0000');
  });

  it('keeps an empty object apart from none', async () => {
    const store = await open();
    await store.put('empty', bytes(''));
    expect(await store.get('empty')).toHaveLength(0);
    expect(await store.head('empty')).toMatchObject({ sizeBytes: 0 });
    expect(await store.get('none')).toBeNull();
  });

  it('replaces what the name held', async () => {
    const store = await open();
    await store.put('x', bytes('a longer first content'));
    await store.put('x', bytes('second'));
    expect(await text(store, 'x')).toBe('second');
  });

  it('joins the chunks of a stream', async () => {
    const store = await open();
    await store.put('streamed', chunksOf(['one ', '', 'two ', 'three']));
    expect(await text(store, 'streamed')).toBe('one two three');
  });

  it('leaves the old object where a stream fails half-way', async () => {
    const store = await open();
    await store.put('kept', bytes('old'));
    await expect(store.put('kept', failingAfter('new, but not all of it'))).rejects.toThrow(
      'the source broke',
    );
    expect(await text(store, 'kept')).toBe('old');
    expect(await store.list('')).toEqual(['kept']);
  });

  it('shows a reader the old or the new object and nothing between', async () => {
    const store = await open();
    const contents = ['a', 'b'].map((letter) => letter.repeat(300_000));
    await store.put('flip', bytes(contents[0] ?? ''));
    const writer = (async () => {
      for (let round = 0; round < 20; round += 1) {
        await store.put('flip', bytes(contents[round % 2] ?? ''));
      }
    })();
    const seen = new Set<string>();
    for (let round = 0; round < 40; round += 1) seen.add(await text(store, 'flip'));
    await writer;
    expect(contents).toEqual(expect.arrayContaining([...seen]));
  });
}

function writingIfAbsent(open: () => Promise<BlobStore>): void {
  it('creates where nothing is, and leaves what is there', async () => {
    const store = await open();
    expect(await store.putIfAbsent('keys/one', bytes('first'))).toBe('created');
    expect(await store.putIfAbsent('keys/one', bytes('second'))).toBe('exists');
    expect(await text(store, 'keys/one')).toBe('first');
  });

  it('lets exactly one of 50 racing writers win, and keeps its bytes', async () => {
    const store = await open();
    const answers = await Promise.all(
      Array.from({ length: 50 }, async (_, index) => ({
        index,
        outcome: await store.putIfAbsent('race/00000001.json', bytes(`writer ${index}`)),
      })),
    );
    const winners = answers.filter(({ outcome }) => outcome === 'created');
    expect(winners).toHaveLength(1);
    expect(await text(store, 'race/00000001.json')).toBe(`writer ${winners[0]?.index}`);
    expect(await store.list('race')).toEqual(['00000001.json']);
  });

  it('creates again after a delete', async () => {
    const store = await open();
    await store.putIfAbsent('again', bytes('1'));
    await store.delete('again');
    expect(await store.putIfAbsent('again', bytes('2'))).toBe('created');
    expect(await text(store, 'again')).toBe('2');
  });
}

function takingFiles(open: () => Promise<BlobStore>): void {
  it('takes the file’s content and consumes the file', async () => {
    const store = await open();
    const local = join(await temporaryFolder(), 'part.jsonl');
    await writeFile(local, '{"line":1}\n');
    await store.putFile('jobs/part.jsonl', local);
    expect(await text(store, 'jobs/part.jsonl')).toBe('{"line":1}\n');
    expect(existsSync(local)).toBe(false);
  });

  it('replaces an object of the same name', async () => {
    const store = await open();
    const local = join(await temporaryFolder(), 'new');
    await store.put('taken', bytes('old'));
    await writeFile(local, 'new');
    await store.putFile('taken', local);
    expect(await text(store, 'taken')).toBe('new');
  });

  it('rejects where no such file is, and writes nothing', async () => {
    const store = await open();
    const local = join(await temporaryFolder(), 'absent');
    await expect(store.putFile('x/y', local)).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await store.get('x/y')).toBeNull();
  });
}

function reading(open: () => Promise<BlobStore>): void {
  it('reads any half-open range as a slice of the whole does', async () => {
    const store = await open();
    const whole = Buffer.from('0123456789'.repeat(10));
    await store.put('ranged', whole);
    await fc.assert(
      fc.asyncProperty(fc.nat(120), fc.nat(120), async (start, length) => {
        const part = await store.get('ranged', { start, end: start + length });
        expect(part?.toString()).toBe(whole.subarray(start, start + length).toString());
      }),
      { numRuns: 60 },
    );
  });

  it('has null for a range of an absent object', async () => {
    const store = await open();
    expect(await store.get('absent', { start: 0, end: 1 })).toBeNull();
  });

  it('lends a local path with the content', async () => {
    const store = await open();
    await store.put('a/local', bytes('content'));
    expect(await readFile(await store.toLocal('a/local'), 'utf8')).toBe('content');
  });

  it('rejects with ENOENT where it shall lend an absent object or a folder', async () => {
    const store = await open();
    await store.put('folder/object', bytes('x'));
    await expect(store.toLocal('absent')).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(store.toLocal('folder')).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('states size and time, and null where nothing or a folder is', async () => {
    const store = await open();
    const before = Date.now();
    await store.put('folder/object', bytes('12345'));
    const head = await store.head('folder/object');
    expect(head?.sizeBytes).toBe(5);
    expect(Math.abs((head?.modifiedAtMs ?? 0) - before)).toBeLessThan(60_000);
    expect(await store.head('folder')).toBeNull();
    expect(await store.head('absent')).toBeNull();
    expect(await store.head('folder/object/below')).toBeNull();
    expect(await store.get('folder')).toBeNull();
  });
}

function listing(open: () => Promise<BlobStore>): void {
  it('lists direct children only, sorted, folders with a slash', async () => {
    const store = await open();
    for (const name of ['j/b.json', 'j/c10/1', 'j/c9/1', 'j/a.json', 'k']) {
      await store.put(name, bytes(name));
    }
    expect(await store.list('j')).toEqual(['a.json', 'b.json', 'c10/', 'c9/']);
    expect(await store.list('')).toEqual(['j/', 'k']);
    expect(await store.list('j/c9')).toEqual(['1']);
  });

  it('lists nothing where no folder is', async () => {
    const store = await open();
    await store.put('object', bytes('x'));
    expect(await store.list('absent/deeper')).toEqual([]);
    expect(await store.list('object')).toEqual([]);
  });

  it('does not list writes that are under way', async () => {
    const store = await open();
    const { promise: asked, resolve: ask } = Promise.withResolvers<void>();
    const { promise: goOn, resolve: release } = Promise.withResolvers<void>();
    const written = store.put(
      'slow',
      (async function* () {
        yield bytes('first half, ');
        ask();
        await goOn;
        yield bytes('second half');
      })(),
    );
    await asked;
    expect(await store.list('')).toEqual([]);
    expect(await store.get('slow')).toBeNull();
    release();
    await written;
    expect(await store.list('')).toEqual(['slow']);
  });

  it('removes an object, and finds it fine where none is', async () => {
    const store = await open();
    await store.put('open/job', bytes(''));
    await store.delete('open/job');
    await store.delete('open/job');
    await store.delete('never/was');
    expect(await store.get('open/job')).toBeNull();
    expect(await store.list('open')).toEqual([]);
  });

  it('removes a folder with all below it and nothing beside it', async () => {
    const store = await open();
    for (const name of ['jobs/1/a', 'jobs/1/b/c', 'jobs/10/a']) await store.put(name, bytes('x'));
    await store.deleteFolder('jobs/1');
    await store.deleteFolder('jobs/1');
    expect(await store.list('jobs')).toEqual(['10/']);
    expect(await store.get('jobs/1/b/c')).toBeNull();
    await store.put('jobs/1/a', bytes('anew'));
    expect(await store.list('jobs/1')).toEqual(['a']);
  });
}

function naming(open: () => Promise<BlobStore>): void {
  const bad = ['', '/', 'a/', '/a', 'a//b', '.', '..', '../a', 'a/../b', '.hidden', 'a/.b', 'ä'];
  it.each([...bad, 'a b', 'a\\b', 'a:b', 'a\u0000', 'a\n'])('refuses the name %j', async (name) => {
    const store = await open();
    await expect(store.put(name, bytes('x'))).rejects.toThrow(RangeError);
    await expect(store.putIfAbsent(name, bytes('x'))).rejects.toThrow(RangeError);
    await expect(store.get(name)).rejects.toThrow(RangeError);
    await expect(store.delete(name)).rejects.toThrow(RangeError);
    await expect(store.deleteFolder(name)).rejects.toThrow(RangeError);
    expect(await store.list('')).toEqual([]);
  });

  it('takes what an object of a prototype is called as a name like any other', async () => {
    const store = await open();
    await store.put('__proto__/constructor', bytes('x'));
    expect(await store.list('__proto__')).toEqual(['constructor']);
  });
}

function bytes(content: string): Uint8Array {
  return Buffer.from(content, 'utf8');
}

async function text(store: BlobStore, name: string): Promise<string> {
  return (await store.get(name))?.toString('utf8') ?? '(absent)';
}

async function* chunksOf(parts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield bytes(part);
}

async function* failingAfter(part: string): AsyncGenerator<Uint8Array> {
  yield bytes(part);
  throw new Error('the source broke');
}
