/** A planner over files in memory: cuts request lines into chunks of one model, nothing more. */

import { createHash } from 'node:crypto';
import { Refusal } from '../../../src/domain/errors.ts';
import { chunkIdOf } from '../../../src/domain/ids.ts';
import type { PlannedChunk } from '../../../src/domain/plan.ts';
import type { PlanOutcome, PlanTask } from '../../../src/stages/plan/plan.ts';
import type { MemoryFiles } from './local-files.ts';
import type { IndexedLine } from './outcomes.ts';

/** A line of the simulated request sets. */
export interface SimulatedRequest {
  readonly custom_id: string;
  readonly model: string;
  readonly reject?: boolean;
}

interface Draft {
  readonly model: string | null;
  readonly index: IndexedLine[];
  text: string;
}

/** Writes the chunks' files; refuses an empty set. */
export function planInMemory(task: PlanTask, files: MemoryFiles): PlanOutcome {
  const source = files.read(task.sourcePath);
  const requests = source
    .toString()
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as SimulatedRequest);
  if (requests.length === 0) throw new Refusal('empty_input', 'The input holds no request line.');
  const drafts = cut(requests, task.limits.maxRequests);
  for (const [number, draft] of drafts.entries()) {
    const folder = `${task.outputFolder}/${chunkIdOf(number)}`;
    files.write(`${folder}/requests.jsonl`, Buffer.from(draft.text));
    files.write(`${folder}/lines.idx`, Buffer.from(JSON.stringify(draft.index)));
    files.write(`${folder}/ids.bin`, Buffer.alloc(0));
    files.write(`${folder}/rejected.jsonl`, Buffer.alloc(0));
  }
  const rejected = requests.filter(({ reject }) => reject === true).length;
  const ids = requests.map((request) => request.custom_id);
  const plan = {
    endpoint: '/v1/chat/completions' as const,
    models: [...new Set(requests.map(({ model }) => model))],
    chunks: drafts.map(plannedChunk),
    counts: {
      lines: requests.length,
      blank: 0,
      requests: requests.length - rejected,
      rejected,
      insertedIds: 0,
    },
    source: { sizeBytes: source.length, sha256: sha256(source) },
    idsDigest: sha256(Buffer.from(ids.join(','))),
  };
  return { kind: 'planned', plan, rejected: [] };
}

function cut(requests: readonly SimulatedRequest[], maxRequests: number): Draft[] {
  const drafts: Draft[] = [];
  const open = new Map<string, Draft>();
  for (const [at, request] of requests.entries()) {
    const { model, custom_id: id } = request;
    let draft = open.get(model);
    if (draft === undefined || draft.index.length >= maxRequests) {
      draft = { model, index: [], text: '' };
      drafts.push(draft);
      open.set(model, draft);
    }
    const rejected = request.reject === true;
    const start = draft.text.length;
    if (!rejected) draft.text += `${JSON.stringify(request)}\n`;
    draft.index.push({ line: at + 1, id, start, end: draft.text.length, rejected });
  }
  return drafts;
}

function plannedChunk(draft: Draft, number: number): PlannedChunk {
  const rejected = draft.index.filter((line) => line.rejected).length;
  const requests = draft.index.length - rejected;
  return {
    id: chunkIdOf(number),
    model: requests === 0 ? null : draft.model,
    requests,
    rejected,
    sizeBytes: draft.text.length,
    inputs: 0,
    firstLine: draft.index[0]?.line ?? 0,
    lastLine: draft.index.at(-1)?.line ?? 0,
  };
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
