/** Bugs around answers: which are taken, kept, put in order and joined. */

import type { Mutation } from './mutations.ts';

export const ANSWER_MUTATIONS: readonly Mutation[] = [
  {
    name: 'sends everything again',
    file: 'src/stages/upload.ts',
    from: 'await assess(task, state.collected, tools)',
    to: 'await assess(task, [], tools)',
  },
  {
    name: 'ends a batch before its files are there',
    file: 'src/stages/poll.ts',
    from: 'if (!filesFit(batch)) {',
    to: "if (status === 'failed' && !filesFit(batch)) {",
  },
  {
    name: 'believes a download that is too short',
    file: 'src/stages/collect.ts',
    from: 'const MAX_FETCHES = 8;',
    to: 'const MAX_FETCHES = 1;',
  },
  {
    name: 'counts strangers as answers',
    file: 'src/stages/collect.ts',
    from: 'gained < (batch.counts?.completed ?? 0)',
    to: 'gained < 0',
  },
  {
    name: 'settles with strays still out',
    file: 'src/domain/owed.ts',
    from: "now(state.strays.length > 0 ? 'collect_strays' : 'settle')",
    to: "now('settle')",
  },
  {
    name: 'takes an upload for its own beside a stray',
    file: 'src/domain/transitions.ts',
    from: '  if (state.strays.length > 0) return null;',
    to: '',
  },
  {
    name: 'leaves what is uploaded beside a stray',
    file: 'src/domain/transitions.ts',
    from: "if (state.status !== 'uploaded') return { ...state, strays };",
    to: 'return { ...state, strays };',
  },
  {
    name: 'settles past a stray that another settler found',
    file: 'src/stages/settle.ts',
    from: "if (stream.state.status !== 'settling' || stream.state.strays.length > 0) return MOVED;",
    to: "if (stream.state.status !== 'settling') return MOVED;",
  },
  {
    name: 'drops what was collected before',
    file: 'src/domain/transitions.ts',
    from: `    collected: [...state.collected, event.attempt],
    files: [...state.files, ...event.files],
    tally: event.tally,
  };
  if (next.kind`,
    to: `    collected: [event.attempt],
    files: [...state.files, ...event.files],
    tally: event.tally,
  };
  if (next.kind`,
  },
  {
    name: 'gives a batch up that is not found once',
    file: 'src/stages/poll.ts',
    from: 'elapsedMs > tools.policy.missingBatchAlertMs && times >= FORGOTTEN_LOOKS;',
    to: 'elapsedMs >= 0 && times > 0 && FORGOTTEN_LOOKS > 0;',
    tests: 'test/stages/poll-missing.test.ts',
  },
  {
    name: 'throws away the answers that it has recorded',
    file: 'src/stages/collect.ts',
    from: 'if (!isOurs) return dropAnswers(',
    to: 'if (isOurs) return dropAnswers(',
  },
  {
    name: 'takes a failed batch for one that answered nothing',
    file: 'src/stages/poll.ts',
    from: '(batch.counts?.completed ?? 0) === 0',
    to: '(batch.counts?.completed ?? 0) >= 0',
    tests: 'test/stages/poll.test.ts',
  },
  {
    name: 'merges by position',
    file: 'src/stages/answers/walk-parts.ts',
    from: 'if (cursor !== least && cursor.nextLine < limit) limit = cursor.nextLine;',
    to: 'void cursor;',
    tests: 'test/stages/answers/join',
  },
  {
    name: 'lets a later failure replace a success',
    file: 'src/stages/answers/chunk-outcomes.ts',
    from: 'if (outcome < before || (outcome === before && outcome >= FINAL)) return;',
    to: 'if (outcome === before && outcome >= FINAL) return;',
    tests: 'test/stages/answers',
  },
  {
    name: 'settles the first part for every chunk',
    file: 'src/stages/merge.ts',
    from: 'const mark = marks[index];',
    to: 'const mark = marks[0 * index];',
  },
  {
    name: 'writes no manifest',
    file: 'src/stages/merge.ts',
    from: 'await tools.blobs.put(manifestName(task.job.id), Buffer.from(manifest));',
    to: 'void manifest;',
  },
];
