/** Bugs of patience: what is tried again, how often and how soon, how much at once, who is told. */

import type { Mutation } from './mutations.ts';

export const BOUND_MUTATIONS: readonly Mutation[] = [
  {
    name: 'refuses every job',
    file: 'src/stages/plan-job.ts',
    from: `    if (outcome.kind === 'refused') {
      await stream.record({ type: 'refused', refusal: invalidLines(outcome) });`,
    to: `    if (outcome.kind !== 'refused') {
      const refusal = { code: 'refused', message: '', rejected: [], rejectedTotal: 0 };
      await stream.record({ type: 'refused', refusal });`,
  },
  {
    name: 'takes every chunk for spent',
    file: 'src/stages/upload.ts',
    from: 'const isSpent = state.executed >= task.options.maxAttempts;',
    to: 'const isSpent = state.executed <= task.options.maxAttempts;',
  },
  {
    name: 'never retries a request',
    file: 'src/domain/retry.ts',
    from: 'if (executed >= outcome.maxAttempts) {',
    to: 'if (executed >= 1) {',
  },
  {
    name: 'sends what is refused for good again',
    file: 'src/domain/answer.ts',
    from: "return refused && !AGAIN_STATUSES.has(statusCode) ? 'final' : 'again';",
    to: "return refused && AGAIN_STATUSES.size === 0 ? 'final' : 'again';",
  },
  {
    name: 'gives a chunk up for one bad line',
    file: 'src/domain/retry.ts',
    from: 'if (lines > outcome.sent * MAX_INVALID_SHARE && lines > 1) return close;',
    to: 'if (lines > outcome.sent * MAX_INVALID_SHARE && lines > 0) return close;',
  },
  {
    name: 'cuts a chunk again for ever',
    file: 'src/domain/retry.ts',
    from: 'return outcome.recuts + 1 >= MAX_RECUTS ? close : null;',
    to: 'return outcome.recuts < 0 * MAX_RECUTS ? close : null;',
  },
  {
    name: 'counts a full token queue as an attempt',
    file: 'src/domain/retry.ts',
    from: "return { burned: 'pause', next: again(pauseMs,",
    to: "return { burned: 'executed', next: again(pauseMs,",
  },
  {
    name: 'calls again at once, however often it fails',
    file: 'src/domain/retry.ts',
    from: 'return Math.min(max, base * 2 ** Math.min(times, 30));',
    to: 'return Math.min(0, max, base * 2 ** Math.min(times, 30));',
  },
  {
    name: 'never pulls the brake',
    file: 'src/service/brake.ts',
    from: 'if (passed === null) return;',
    to: 'if (passed === null || passed.failed > 0) return;',
  },
  {
    name: 'has as many slots as chunks want',
    file: 'src/stages/upload.ts',
    from: 'holder, tools.policy.maxLiveBatches)',
    to: 'holder, Number.MAX_SAFE_INTEGER)',
  },
  {
    name: 'tells nobody of a job that idles',
    file: 'src/service/idleness.ts',
    from: 'if (silence.sweeps < SILENT_SWEEPS) return;',
    to: 'if (silence.sweeps >= 0 * SILENT_SWEEPS) return;',
  },
  {
    name: 'tells of a job that idles after one sweep',
    file: 'src/service/idleness.ts',
    from: 'const SILENT_SWEEPS = 2;',
    to: 'const SILENT_SWEEPS = 1;',
    tests: 'test/service/idleness.test.ts',
  },
  {
    name: 'tells nobody of a batch that is stuck',
    file: 'src/service/batch-alarms.ts',
    from: `      code: 'batch_stuck',`,
    to: `      code: 'not_created',`,
    tests: 'test/service/batch-alarms.test.ts',
  },
  {
    name: 'tells of answers that expire when they are gone',
    file: 'src/service/expiry.ts',
    from: 'const NOTICE_DAYS = 3;',
    to: 'const NOTICE_DAYS = 0;',
    tests: 'test/service/batch-alarms.test.ts',
  },
  {
    name: 'leaves answer files at the provider',
    file: 'src/stages/clean.ts',
    from: 'if (!(await deleted(fileId, tools))) filesLeft += 1;',
    to: 'void fileId;',
  },
  {
    name: 'leaves uploads without an event at the provider',
    file: 'src/stages/clean.ts',
    from: 'if (file.filename.startsWith(prefix) && !(await deleted(file.id, tools))) left += 1;',
    to: 'void [file, prefix];',
  },
  {
    name: 'leaves the mark of an open job',
    file: 'src/stages/clean.ts',
    from: '  await tools.blobs.delete(openName(task.job.id));\n',
    to: '',
  },
  {
    name: 'throws the answers of strangers away',
    file: 'src/stages/settle.ts',
    from: 'if (quarantined) {',
    to: 'if (quarantined && state.executed < 0) {',
  },
];
