/** Faults of the matrix that other programmes cause. */

export interface RowElsewhere {
  readonly fault: string;
  readonly outcome: string;
  /** Markdown. */
  readonly test: string;
}

export const ELSEWHERE: readonly RowElsewhere[] = [
  {
    fault: 'kill -9 before the decision, after it, after the create, after its record',
    outcome: 'fresh create; look, settle, abandon, create; adopt; go on. One batch each',
    test: '`npm run crash`',
  },
  {
    fault: 'kill -9 in the middle of an upload',
    outcome: 'uploaded again; the file without a batch is deleted',
    test: '`npm run crash`',
  },
  {
    fault: 'kill -9 in the middle of a download, of settling, of merging',
    outcome: 'the temporary file is discarded; the same sha256',
    test: '`npm run crash`',
  },
  {
    fault: 'the process is stopped (SIGSTOP) for longer than its locks, then goes on',
    outcome: 'one append wins; the loser stops; one batch',
    test: '`npm run test:long`, `npm run simulate`',
  },
  {
    fault: 'a service or one of its worker processes is killed, or stopped for 90 s',
    outcome: 'the others go on with its work; the same sha256, one batch each',
    test: '`npm run fleet`',
  },
  {
    fault: 'Redis is killed and comes back',
    outcome: 'consuming again within 60 s; nothing lost',
    test: '`npm run outages`',
  },
  {
    fault: 'Redis is flushed',
    outcome: 'rebuilt from the journal within a sweep; nothing lost or doubled',
    test: '`npm run outages`',
  },
  {
    fault: 'Redis fails over and loses its last writes',
    outcome: 'lost bells are rung again within a sweep; nothing lost or doubled',
    test: '`npm run outages -- --rollbacks N`',
  },
  {
    fault: 'Redis is out of memory',
    outcome: 'waits, and says why; nothing lost',
    test: '`npm run outages -- --fulls N`',
  },
  {
    fault: 'Redis drops keys (`maxmemory-policy`)',
    outcome: 'refused at the start; later rebuilt from the journal; nothing lost or doubled',
    test: '`npm run outages -- --evictions N`, `test/adapters/redis/open.test.ts`',
  },
  {
    fault: 'the disk is full, anywhere',
    outcome: 'nothing is corrupted; goes on after room is made',
    test: '`npm run storage`',
  },
  {
    fault: 'a torn last write to the journal',
    outcome: 'the temporary file is ignored; the state is valid',
    test: '`npm run storage`',
  },
  {
    fault: 'the receiver of a job’s callback is down',
    outcome: 'signed tries for 24 h, then alert `callback_failed`; the job is unaffected',
    test: '`test/service/callback-delivery.test.ts`',
  },
];
