/** A planner of files that others sent as batches, in memory: each is a chunk as it stands. */

import { createHash } from 'node:crypto';
import { chunkIdOf } from '../../../src/domain/ids.ts';
import type { TakenOutcome, TakenTask } from '../../../src/stages/plan/taken-files.ts';
import type { MemoryFiles } from './local-files.ts';
import type { IndexedLine } from './outcomes.ts';
import type { SimulatedRequest } from './plan.ts';

/** Takes files of one model each, none of which holds lines of another. */
export function planTakenInMemory(task: TakenTask, files: MemoryFiles): TakenOutcome {
  const taken = task.files.map(({ path }) => {
    const bytes = files.read(path);
    const lines = bytes.toString().split('\n').filter(Boolean);
    return { bytes, lines, requests: lines.map((line) => JSON.parse(line) as SimulatedRequest) };
  });
  let line = 0;
  const chunks = taken.map(({ bytes, lines, requests }, number) => {
    const firstLine = line + 1;
    let end = 0;
    const index = requests.map(({ custom_id: id }, at): IndexedLine => {
      const start = end;
      end += Buffer.byteLength(lines[at] ?? '') + 1;
      line += 1;
      return { line, id, start, end, rejected: false };
    });
    const folder = `${task.outputFolder}/${chunkIdOf(number)}`;
    files.write(`${folder}/requests.jsonl`, bytes);
    files.write(`${folder}/lines.idx`, Buffer.from(JSON.stringify(index)));
    files.write(`${folder}/ids.bin`, Buffer.alloc(0));
    const counts = { requests: requests.length, rejected: 0, inputs: 0 };
    const model = requests[0]?.model ?? null;
    const place = { firstLine, lastLine: line, sizeBytes: bytes.length };
    return { id: chunkIdOf(number), model, ...counts, ...place };
  });
  const all = taken.flatMap(({ requests }) => requests);
  const source = Buffer.concat(taken.map(({ bytes }) => bytes));
  return {
    kind: 'planned',
    plan: {
      endpoint: '/v1/chat/completions',
      models: [...new Set(all.map(({ model }) => model))],
      chunks,
      counts: { lines: line, blank: 0, requests: line, rejected: 0, insertedIds: 0 },
      source: { sizeBytes: source.length, sha256: sha256(source) },
      idsDigest: sha256(Buffer.from(all.map((request) => request.custom_id).join(','))),
    },
    files: taken.map(({ bytes, requests }, chunk) => ({
      chunk,
      isWhole: true,
      sizeBytes: bytes.length,
      sha256: sha256(bytes),
      requests: requests.length,
      blank: 0,
    })),
  };
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
