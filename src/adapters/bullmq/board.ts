/** The queues as a web page, by bull-board: to look at, never to touch. */

import type { IncomingMessage, ServerResponse } from 'node:http';

import { type ConnectionOptions, Queue } from 'bullmq';

import { QUEUES } from '../../ports/work-queue.ts';

export interface BoardOptions {
  /** Before every key, as the work queue has it. */
  readonly prefix: string;
  /** A connection that fails fast; the caller closes it after the board. */
  readonly connection: ConnectionOptions;
  /** Where the page is mounted. */
  readonly basePath: string;
}

export interface Board {
  /** Answers what lies below the base path; who may look is the caller's business. */
  handle(request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void): void;
  close(): Promise<void>;
}

type Handle = (request: IncomingMessage, response: ServerResponse, next: () => void) => unknown;

/** Costs nothing before somebody looks. */
export function openBoard(options: BoardOptions): Board {
  const queues: Queue[] = [];
  let made: Promise<Handle> | null = null;
  return {
    handle(request, response, next) {
      made ??= makeBoard(options, queues);
      made.then((handle) => handle(request, response, next), next);
    },
    async close() {
      await Promise.all(queues.map((queue) => queue.close()));
    },
  };
}

async function makeBoard(options: BoardOptions, queues: Queue[]): Promise<Handle> {
  const [{ createBullBoard }, { BullMQAdapter }, { ExpressAdapter }] = await Promise.all([
    import('@bull-board/api'),
    import('@bull-board/api/bullMQAdapter'),
    import('@bull-board/express'),
  ]);
  const { prefix, connection, basePath } = options;
  for (const name of QUEUES) {
    const queue = new Queue(name, { prefix, connection, skipVersionCheck: true });
    // The connection's owner tells of its troubles.
    queue.on('error', () => undefined);
    queues.push(queue);
  }
  const serverAdapter = new ExpressAdapter().setBasePath(basePath);
  createBullBoard({
    // A bell that is retried or deleted by hand would only come back, or come late.
    queues: queues.map((queue) => new BullMQAdapter(queue, { readOnlyMode: true })),
    serverAdapter,
    options: { uiConfig: { boardTitle: 'Batchwright', hideRedisDetails: true } },
  });
  return serverAdapter.getRouter() as Handle;
}
