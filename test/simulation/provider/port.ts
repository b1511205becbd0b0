/** The provider as one process sees it: over a network that loses calls, answers, and time. */

import { Weather } from '../../../src/domain/errors.ts';
import type { BatchProvider } from '../../../src/ports/batch-provider.ts';
import type { MemoryFiles } from '../../support/memory/local-files.ts';
import type { SimulatedProcess } from '../process.ts';
import type { Rates } from '../profile.ts';
import type { Random } from '../random.ts';
import type { Scheduler } from '../scheduler.ts';
import type { ProviderModel } from './model.ts';

export interface PortParts {
  readonly model: ProviderModel;
  readonly files: MemoryFiles;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly rates: () => Rates;
  /** No call arrives just now. */
  readonly isAway: () => boolean;
  /** Told of what takes effect, before it does. */
  readonly uploading: (bytes: Buffer) => void;
  readonly deleting: (fileId: string) => void;
  /** Told of a call that did not succeed. */
  readonly failed: () => void;
  readonly creating: (process: SimulatedProcess, attemptId: string, fileId: string) => void;
}

const LONGEST_LATE_CREATE_MS = 600_000;

export function createProviderPort(process: SimulatedProcess, parts: PortParts): BatchProvider {
  const { model, files, random, rates } = parts;
  const call = <Value>(label: string, effect: () => Value): Promise<Value> =>
    weathered(process, label, parts, async () => effect());
  const found = <Value>(value: Value): Value => {
    if (random.chance(rates().notFound)) throw weather('permanent', 404, 'not found just now');
    return value;
  };
  return {
    upload: ({ localPath, ranges, filename }) =>
      call('upload', () => {
        const bytes = files.read(localPath);
        const sent = Buffer.concat(ranges.map(({ start, end }) => bytes.subarray(start, end)));
        parts.uploading(sent);
        return model.upload(filename, sent);
      }),
    createBatch: (input) => createBatch(process, input, parts),
    retrieveBatch: (id) => call('retrieveBatch', () => oddly(found(model.retrieve(id)), parts)),
    listBatches: (after) => call('listBatches', () => model.list(after)),
    cancelBatch: (id) => call('cancelBatch', () => model.cancel(id)),
    retrieveFile: (id) => call('retrieveFile', () => model.retrieveFile(id)),
    listFiles: (after) => call('listFiles', () => model.listFiles(after)),
    deleteFile: (id) =>
      call('deleteFile', () => {
        parts.deleting(id);
        model.deleteFile(id);
      }),
    download: (id, path) =>
      call('download', () => {
        const bytes = found(model.download(id));
        files.write(path, bytes);
        return { sizeBytes: bytes.length };
      }),
  };
}

/** One call: it may not arrive, it may be refused, and its answer may be lost. */
function weathered<Value>(
  process: SimulatedProcess,
  label: string,
  { random, rates, isAway, failed, model }: PortParts,
  effect: () => Promise<Value>,
): Promise<Value> {
  const { transient, unknown, refused } = rates();
  const lost = random.chance(transient)
    ? 'transient'
    : random.chance(unknown / 2)
      ? 'unknown'
      : null;
  const isRefused = lost === null && random.chance(refused);
  const isAnswerLost = random.chance(unknown / 2);
  const style = { thereMs: random.spread(10, 3_000), backMs: random.spread(10, 3_000) };
  const fails = (...of: Parameters<typeof weather>): Weather => {
    failed();
    return weather(...of);
  };
  return process.call(label, style, async () => {
    if (isAway()) throw fails('transient', null, 'the provider is away');
    if (lost !== null) throw fails(lost, lost === 'transient' ? 429 : null, 'it did not arrive');
    if (isRefused) {
      model.refused(label);
      throw fails('permanent', 401, 'the key is refused for a while');
    }
    const value = await effect();
    if (isAnswerLost) throw fails('unknown', 502, 'its answer was lost');
    return value;
  });
}

/** The create may also take effect long after its caller has given it up. */
function createBatch(
  process: SimulatedProcess,
  input: Parameters<BatchProvider['createBatch']>[0],
  parts: PortParts,
): ReturnType<BatchProvider['createBatch']> {
  const { model, random, rates, isAway, scheduler, creating } = parts;
  const { inputFileId, metadata } = input;
  const effect = () => {
    creating(process, metadata['attemptId'] ?? '', inputFileId);
    return model.create(inputFileId, metadata);
  };
  if (random.chance(rates().lateCreate)) {
    const lateMs = random.next() * LONGEST_LATE_CREATE_MS;
    return process.call('createBatch', { thereMs: 1, backMs: input.timeoutMs }, async () => {
      if (!isAway()) scheduler.after(lateMs, effect);
      throw weather('unknown', null, 'the create timed out');
    });
  }
  return weathered(process, 'createBatch', parts, async () => {
    if (random.chance(rates().fileUnseen)) {
      throw weather('permanent', 400, 'Cannot find file or no access to it');
    }
    return effect();
  });
}

/** Now and then a retrieval says something that was, or that never was. */
function oddly<Batch extends { status: string }>(
  batch: Batch,
  { random, rates }: PortParts,
): Batch {
  if (!random.chance(rates().oddStatus)) return batch;
  return { ...batch, status: random.pick(['validating', 'in_progress', 'resting']) };
}

function weather(
  kind: 'permanent' | 'transient' | 'unknown',
  status: number | null,
  message: string,
) {
  return new Weather({ kind, status, code: null, message, retryAfterMs: null });
}
