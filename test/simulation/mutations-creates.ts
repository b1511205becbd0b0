/** Bugs around the call that costs money, and what a key may see and delete. */

import type { Mutation } from './mutations.ts';

export const CREATE_MUTATIONS: readonly Mutation[] = [
  {
    name: 'creates without owning the append',
    file: 'src/stages/submit.ts',
    from: "if (!(await stream.decide({ type: 'submitting', attemptId }))) return MOVED;",
    to: "await stream.record({ type: 'submitting', attemptId });",
  },
  {
    name: 'takes an unknown outcome for a failure',
    file: 'src/stages/submit.ts',
    from: "if (weather.kind === 'unknown') return MOVED;",
    to: "if (weather.kind === 'unknown') return notCreated(task, attemptId, tools, '', 0);",
  },
  {
    name: 'abandons without the settle window',
    file: 'src/stages/adopt.ts',
    from: 'if (elapsedMs >= settleMs && times >= minLooks) {',
    to: 'if (elapsedMs >= 0 && settleMs > 0 && times > 0 && minLooks > 0) {',
  },
  {
    name: 'never deletes the input file',
    file: 'src/stages/adopt.ts',
    from: 'await tools.provider.deleteFile(upload.fileId);',
    to: '',
  },
  {
    name: 'abandons without seeing the input file gone',
    file: 'src/stages/adopt.ts',
    from: 'if (isNeeded && (await sees(upload.fileId, tools)))',
    to: "if (isNeeded && upload.fileId === '')",
  },
  {
    name: 'abandons without the last look',
    file: 'src/stages/adopt.ts',
    from: `  if (chosen !== undefined) return take(task, chosen, found, tools);
  if (!(await isGone`,
    to: `  void chosen;
  if (!(await isGone`,
  },
  {
    name: 'adopts whatever batch it finds',
    file: 'src/stages/look.ts',
    from: 'if (batch.inputFileId !== null && wanted.has(batch.inputFileId))',
    to: 'if (batch.inputFileId !== null && wanted.size > 0)',
  },
  {
    name: 'takes a late batch id for another attempt',
    file: 'src/domain/transitions.ts',
    from: 'if (state.attempt.attemptId !== attemptId) return null;',
    to: '',
  },
  {
    name: 'takes a late failure for another attempt',
    file: 'src/domain/transitions.ts',
    from: ` || state.attempt.attemptId !== event.attemptId) return null;
  const common = { ...chunkCommon(state), pauses: state.pauses + 1 };`,
    to: `) return null;
  const common = { ...chunkCommon(state), pauses: state.pauses + 1 };`,
  },
  {
    name: 'sends a create however late',
    file: 'src/stages/submit.ts',
    from: 'decidedAtMs > tools.policy.create.deadlineMs',
    to: 'decidedAtMs > Number.MAX_SAFE_INTEGER',
  },
  {
    name: 'takes a file for gone that it never saw',
    file: 'src/stages/adopt.ts',
    from: 'if (!(await isGone(task, upload, tools))) return unseen(task, tools);',
    to: '',
  },
  {
    name: 'stops a batch that is the attempt’s own',
    file: 'src/stages/strays.ts',
    from: 'if (isStray) await stop(',
    to: 'if (isStray || batchId) await stop(',
  },
  {
    name: 'leaves a second batch alone that another list showed',
    file: 'src/stages/adopt.ts',
    from: 'else await setAside(task, chosen, number, tools);',
    to: '',
  },
  {
    name: 'adopts the younger of two batches',
    file: 'src/stages/adopt.ts',
    from: 'return own.find(isLive) ?? own[0];',
    to: 'return own.findLast(isLive) ?? own[0];',
  },
  {
    name: 'trusts the order of every list',
    file: 'src/stages/look.ts',
    from: 'let sorted = listsNewestFirst && backToMs > 0;',
    to: 'let sorted = listsNewestFirst || backToMs >= 0;',
    tests: 'test/stages/look.test.ts',
  },
  {
    name: 'waits by the wall clock',
    file: 'src/stages/watch.ts',
    from: `  see(key: string): Watched {
    const nowMs = this.#clock.monotonicMs();`,
    to: `  see(key: string): Watched {
    const nowMs = this.#clock.wallMs();`,
  },
  {
    name: 'sends again at once what the account cannot pay',
    file: 'src/stages/upload.ts',
    from: `if (state.trouble !== undefined) return { kind: 'hold', ...state.trouble };`,
    to: '',
  },
  {
    name: 'deletes input files before the audit',
    file: 'src/stages/collect.ts',
    from: 'tools.watch.forget(fetchKey(batch));',
    to: 'await tools.provider.deleteFile(upload.fileId);',
  },
  {
    name: 'deletes an upload that is still under way',
    file: 'src/stages/orphans.ts',
    from: '.elapsedMs >= ROUND_MS',
    to: '.elapsedMs >= 0',
  },
  {
    name: 'deletes files of others',
    file: 'src/stages/orphans.ts',
    from: 'if (owner === null) return false;',
    to: 'if (owner === null) return true;',
  },
];
