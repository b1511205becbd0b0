/** Lines with answers of each kind, for jobs that tests store. */

import { httpErrorLine, rejectedLine, successLine } from '../../stages/answers/made-answers.ts';
import type { StoredLine } from './stored-job.ts';

export type Kind = 'ok' | 'failed' | 'rejected' | 'unreadable';

export function lineOf(kind: Kind, index: number, size: number, chunk: number): StoredLine {
  const id = `id-${index}`;
  if (kind === 'ok') return { id, chunk, answer: successLine(id, 'é'.repeat(size)) };
  if (kind === 'failed') return { id, chunk, answer: httpErrorLine(id, 400, 'bad') };
  if (kind === 'unreadable') return { id, chunk, answer: `${'{'.repeat(size + 1)}\n` };
  const answer = rejectedLine({ line: index + 1, rawId: id, rejected: true });
  return { id, chunk, answer, rejected: true };
}

/** Lines of which every ninth failed and the others have sizes of their own. */
export function mixed(count: number, chunkOf: (index: number) => number): StoredLine[] {
  return Array.from({ length: count }, (_, index) =>
    lineOf(index % 9 === 4 ? 'failed' : 'ok', index, (index * 31) % 500, chunkOf(index)),
  );
}

export function isOk({ answer }: StoredLine): boolean {
  return answer.includes('"status_code":200');
}
