/** Bugs of the house: the journal, the bells, the sweep and the wishes of a job’s owner. */

import type { Mutation } from './mutations.ts';

export const HOUSE_MUTATIONS: readonly Mutation[] = [
  {
    name: 'takes every append for its own',
    file: 'src/adapters/blob/journal.ts',
    from: 'if (found.eventId !== own.eventId)',
    to: "if (found.eventId === '')",
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
    from: 'await this.#sleepers.ringOrWake(due, atMs);',
    to: 'void [due, atMs];',
  },
  {
    name: 'never rebuilds the board',
    file: 'src/service/sweep.ts',
    from: 'if (!wasReady && round.isRestored) await',
    to: 'if (wasReady && round.isRestored) await',
  },
  {
    name: 'forgets a resume of the chunks',
    file: 'src/domain/transitions.ts',
    from: 'intent.revision <= state.intent.revision',
    to: "intent.kind === 'run' || intent.revision <= state.intent.revision",
  },
  {
    name: 'records a fact once and no more',
    file: 'src/stages/event-stream.ts',
    from: 'await this.#reload();\n    }',
    to: 'return false;\n    }',
  },
  {
    name: 'drops facts',
    file: 'src/stages/event-stream.ts',
    from: `if ((await this.#append(event, next)) === 'appended') return true;`,
    to: 'if (next !== null) return true;',
  },
  {
    name: 'tells no chunk what is wished',
    file: 'src/stages/spread.ts',
    from: `await stream.record({ type: 'intended', intent });`,
    to: 'void [stream, intent];',
  },
  {
    name: 'marks no chunk whose settler died',
    file: 'src/service/sweep.ts',
    from: `if (state.status === 'settled' && !known.marked) await markSettled(task, this.#tools);`,
    to: 'void [known.marked, markSettled];',
  },
  {
    name: 'makes a second job of the same command',
    file: 'src/service/jobs.ts',
    from: 'if (known !== null) return { job: known, attached: true };',
    to: '',
  },
  {
    name: 'lets a settled chunk go on',
    file: 'src/domain/transitions.ts',
    from: `if (state.status === 'settled' || intent.revision`,
    to: 'if (intent.revision',
  },
];
