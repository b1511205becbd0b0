/** Bugs that are planted one at a time: the simulation has to find each of them. */

export interface Mutation {
  readonly name: string;
  readonly file: string;
  /** Must stand in the file exactly once. */
  readonly from: string;
  readonly to: string;
}

export const MUTATIONS: readonly Mutation[] = [
  {
    name: 'creates without owning the append',
    file: 'src/stages/submit.ts',
    from: "if (!(await stream.decide({ type: 'submitting', attemptId }))) return MOVED;",
    to: "await stream.record({ type: 'submitting', attemptId });",
  },
  {
    name: 'takes every append for its own',
    file: 'src/adapters/blob/journal.ts',
    from: "found.eventId === own.eventId ? 'appended' : 'lost'",
    to: "'appended'",
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
    from: 'if ((await tools.provider.retrieveFile(upload.fileId)) !== null) {',
    to: 'if (upload.fileId === "") {',
  },
  {
    name: 'abandons without the last look',
    file: 'src/stages/adopt.ts',
    from: `  if (chosen !== undefined) return take(task, chosen, found, tools);
  await task.stream.decide({ type: 'abandoned', attemptId });`,
    to: `  void chosen;
  await task.stream.decide({ type: 'abandoned', attemptId });`,
  },
  {
    name: 'adopts whatever batch it finds',
    file: 'src/stages/look.ts',
    from: 'if (batch.inputFileId !== null && wanted.has(batch.inputFileId))',
    to: 'if (batch.inputFileId !== null && wanted.size > 0)',
  },
  {
    name: 'sends everything again',
    file: 'src/stages/upload.ts',
    from: 'await assess(task, state.collected, tools)',
    to: 'await assess(task, [], tools)',
  },
  {
    name: 'takes a late batch id for another attempt',
    file: 'src/domain/transitions.ts',
    from: `      if (state.status !== 'submitting' && state.status !== 'abandoning') return null;
      if (state.attempt.attemptId !== event.attemptId) return null;`,
    to: "      if (state.status !== 'submitting' && state.status !== 'abandoning') return null;",
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
    name: 'ends a batch before its files are there',
    file: 'src/stages/poll.ts',
    from: "if (status !== 'failed' && !filesFit(batch)) {",
    to: "if (status === 'failed' && !filesFit(batch)) {",
  },
  {
    name: 'believes a download that is too short',
    file: 'src/stages/collect.ts',
    from: 'const MAX_FETCHES = 4;',
    to: 'const MAX_FETCHES = 1;',
  },
  {
    name: 'counts strangers as answers',
    file: 'src/stages/collect.ts',
    from: 'gained < (batch.counts?.completed ?? 0)',
    to: 'gained < 0',
  },
  {
    name: 'merges before every chunk is settled',
    file: 'src/stages/merge.ts',
    from: 'if (settled.length < state.plan.chunkCount)',
    to: 'if (settled.length < 1)',
  },
  {
    name: 'sweeps without ringing chunks',
    file: 'src/service/sweep.ts',
    from: 'await this.#ringOrWake(due);',
    to: 'void due.bell;',
  },
  {
    name: 'never rebuilds the board',
    file: 'src/service/sweep.ts',
    from: 'if (!wasReady) await this.#tools.board.markReady();',
    to: 'if (wasReady) await this.#tools.board.markReady();',
  },
  {
    name: 'forgets a resume of the chunks',
    file: 'src/domain/transitions.ts',
    from: 'intent.revision <= state.intent.revision',
    to: "intent.kind === 'run' || intent.revision <= state.intent.revision",
  },
  {
    name: 'settles with strays still out',
    file: 'src/domain/owed.ts',
    from: "now(state.strays.length > 0 ? 'collect_strays' : 'settle')",
    to: "now('settle')",
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
    name: 'records a fact once and no more',
    file: 'src/stages/event-stream.ts',
    from: 'await this.#reload();\n    }',
    to: 'return false;\n    }',
  },
  {
    name: 'sends a create however late',
    file: 'src/stages/submit.ts',
    from: 'decidedAtMs > tools.policy.create.deadlineMs',
    to: 'decidedAtMs > Number.MAX_SAFE_INTEGER',
  },
];
