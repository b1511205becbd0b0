/** What every BatchProvider does, run on each adapter with a server behind it. */

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type {
  BatchProvider,
  CreateBatchInput,
  ProviderFile,
} from '../../src/ports/batch-provider.ts';

/** A provider whose server has no files and no batches yet. */
export interface ProviderWorld {
  readonly provider: BatchProvider;
  /** Lets time pass until every batch has ended. */
  letBatchesEnd(): Promise<void>;
  close(): Promise<void>;
}

const DAY_SECONDS = 86_400;

/** Runs the suite; `make` is called for each test. */
export function batchProviderContract(name: string, make: () => Promise<ProviderWorld>): void {
  describe(`the batch provider ${name}`, () => {
    let world: ProviderWorld;
    let folder: string;

    beforeEach(async () => {
      folder = mkdtempSync(path.join(tmpdir(), 'batchwright-provider-'));
      world = await make();
    });

    afterEach(async () => {
      await world.close();
      rmSync(folder, { recursive: true });
    });

    const bench: Bench = {
      provider: () => world.provider,
      inFolder: (base) => path.join(folder, base),
      letBatchesEnd: () => world.letBatchesEnd(),
    };
    testFiles(bench);
    testBatches(bench);
    testEnds(bench);
  });
}

interface Bench {
  provider(): BatchProvider;
  inFolder(base: string): string;
  letBatchesEnd(): Promise<void>;
}

function testFiles(bench: Bench): void {
  test('an uploaded file is known, listed, and holds the bytes of its ranges', async () => {
    const provider = bench.provider();
    const { file, content } = await uploadRequests(bench, 40, 'kept.jsonl');
    expect(file).toMatchObject({ filename: 'kept.jsonl', sizeBytes: content.length });
    expect(await provider.retrieveFile(file.id)).toEqual(file);
    expect(await everyFile(provider)).toEqual([file]);
    const target = bench.inFolder('copy.jsonl');
    expect(await provider.download(file.id, target)).toEqual({ sizeBytes: content.length });
    expect(readFileSync(target).equals(content)).toBe(true);
  });

  test('a deleted file is gone, and may be deleted again', async () => {
    const provider = bench.provider();
    const { file } = await uploadRequests(bench, 1);
    await provider.deleteFile(file.id);
    await provider.deleteFile(file.id);
    expect(await provider.retrieveFile(file.id)).toBeNull();
    expect(await everyFile(provider)).toEqual([]);
  });

  test('a file that nobody knows is null, and its content is permanent weather', async () => {
    const provider = bench.provider();
    expect(await provider.retrieveFile('file-nobodyknows')).toBeNull();
    const download = provider.download('file-nobodyknows', bench.inFolder('none'));
    await expect(download).rejects.toMatchObject({ name: 'Weather', kind: 'permanent' });
    expect(readdirSync(bench.inFolder('.'))).toEqual([]);
  });
}

function testBatches(bench: Bench): void {
  test('a created batch names its file and its metadata, by id and in the list', async () => {
    const provider = bench.provider();
    const { file } = await uploadRequests(bench, 3);
    const created = await provider.createBatch(createInput(file));
    expect(created).toMatchObject({
      inputFileId: file.id,
      outputFileId: null,
      errorFileId: null,
      errors: [],
      metadata: { job: 'job_1', attempt: '1' },
    });
    expect(created.createdAtMs).toBeGreaterThanOrEqual(file.createdAtMs);
    const again = await provider.retrieveBatch(created.id);
    expect(again).toMatchObject({ id: created.id, inputFileId: file.id });
    const { batches, next } = await provider.listBatches(null);
    expect(batches.map(({ id }) => id)).toEqual([created.id]);
    expect(batches[0]?.inputFileId).toBe(file.id);
    expect(next).toBeNull();
  });

  test('pages of the list hold each batch once', async () => {
    const provider = bench.provider();
    const { file } = await uploadRequests(bench, 1);
    const created = new Set<string>();
    for (let count = 0; count < 105; count += 1) {
      created.add((await provider.createBatch(createInput(file))).id);
    }
    const listed: string[] = [];
    let next: string | null = null;
    do {
      const page = await provider.listBatches(next);
      expect(page.batches.length).toBeLessThanOrEqual(100);
      listed.push(...page.batches.map(({ id }) => id));
      next = page.next;
    } while (next !== null);
    expect(listed).toHaveLength(105);
    expect(new Set(listed)).toEqual(created);
  });

  test('a batch that cannot be is refused for good, and none exists', async () => {
    const provider = bench.provider();
    const { file } = await uploadRequests(bench, 1);
    const create = provider.createBatch({ ...createInput(file), endpoint: '/v1/nowhere' });
    await expect(create).rejects.toMatchObject({ kind: 'permanent', status: 400 });
    expect((await provider.listBatches(null)).batches).toEqual([]);
  });

  test('a batch that nobody knows is permanent weather', async () => {
    const retrieve = bench.provider().retrieveBatch('batch_nobodyknows');
    await expect(retrieve).rejects.toMatchObject({ kind: 'permanent', status: 404 });
  });
}

function testEnds(bench: Bench): void {
  test('a completed batch has counts and a file with an answer for each request', async () => {
    const provider = bench.provider();
    const { file } = await uploadRequests(bench, 50);
    const { id } = await provider.createBatch(createInput(file));
    await bench.letBatchesEnd();
    const ended = await provider.retrieveBatch(id);
    expect(ended).toMatchObject({
      status: 'completed',
      counts: { total: 50, completed: 50, failed: 0 },
      errorFileId: null,
    });
    const target = bench.inFolder('output.jsonl');
    const { sizeBytes } = await provider.download(ended.outputFileId ?? '', target);
    const bytes = readFileSync(target);
    expect(bytes).toHaveLength(sizeBytes);
    const ids = bytes.toString().trimEnd().split('\n').map(customIdIn);
    expect(ids.toSorted()).toEqual(requestIds(50).toSorted());
  });

  test('a batch of lines that cannot be says which, and why', async () => {
    const provider = bench.provider();
    const content = Buffer.from(`${requestLine('a')}\n{"custom_id":\n${requestLine('b')}\n`);
    const file = await upload(bench, content, 'broken.jsonl');
    const { id } = await provider.createBatch(createInput(file));
    await bench.letBatchesEnd();
    const ended = await provider.retrieveBatch(id);
    expect(ended.status).toBe('failed');
    expect(ended.errors.map(({ line }) => line)).toEqual([2]);
    expect(ended.errors[0]?.code).toBe('invalid_json_line');
  });

  test('a live batch can be cancelled, an ended one is permanent weather', async () => {
    const provider = bench.provider();
    const { file } = await uploadRequests(bench, 2);
    const live = await provider.createBatch(createInput(file));
    const cancelled = await provider.cancelBatch(live.id);
    expect(cancelled.id).toBe(live.id);
    expect(cancelled.status).toMatch(/^cancell(ing|ed)$/);
    const other = await provider.createBatch(createInput(file));
    await bench.letBatchesEnd();
    expect((await provider.retrieveBatch(live.id)).status).toBe('cancelled');
    const tooLate = provider.cancelBatch(other.id);
    await expect(tooLate).rejects.toMatchObject({ kind: 'permanent', status: 409 });
  });
}

async function uploadRequests(
  bench: Bench,
  count: number,
  filename = 'requests.jsonl',
): Promise<{ file: ProviderFile; content: Buffer }> {
  const content = Buffer.from(
    requestIds(count)
      .map((id) => `${requestLine(id)}\n`)
      .join(''),
  );
  return { file: await upload(bench, content, filename), content };
}

/** Uploads the content as two ranges of a larger file. */
function upload(bench: Bench, content: Buffer, filename: string): Promise<ProviderFile> {
  const localPath = bench.inFolder(`${filename}.local`);
  const middle = content.indexOf(10) + 1;
  const parts = [content.subarray(0, middle), Buffer.from('NOT SENT\n'), content.subarray(middle)];
  writeFileSync(localPath, Buffer.concat(parts));
  const ranges = [
    { start: 0, end: middle },
    { start: middle + 9, end: content.length + 9 },
  ];
  return bench
    .provider()
    .upload({ localPath, ranges, filename, expiresAfterSeconds: DAY_SECONDS })
    .finally(() => rmSync(localPath));
}

async function everyFile(provider: BatchProvider): Promise<ProviderFile[]> {
  const files: ProviderFile[] = [];
  let next: string | null = null;
  do {
    const page: Awaited<ReturnType<BatchProvider['listFiles']>> = await provider.listFiles(next);
    files.push(...page.files);
    next = page.next;
  } while (next !== null);
  return files;
}

function createInput(file: ProviderFile): CreateBatchInput {
  return {
    inputFileId: file.id,
    endpoint: '/v1/embeddings',
    completionWindow: '24h',
    metadata: { job: 'job_1', attempt: '1' },
    timeoutMs: 20_000,
  };
}

function requestIds(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `r-${index}`);
}

function requestLine(id: string): string {
  const body = { model: 'text-embedding-3-small', input: `about ${id}, ünïcode ` };
  return JSON.stringify({ custom_id: id, method: 'POST', url: '/v1/embeddings', body });
}

function customIdIn(line: string): string {
  return (JSON.parse(line) as { custom_id: string }).custom_id;
}
