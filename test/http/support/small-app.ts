/** A small Express app on loopback, and clients that say exactly what they mean to say. */

import { createConnection } from 'node:net';

import type { ErrorRequestHandler, Express } from 'express';
import { onTestFinished } from 'vitest';

import { problemOf } from '../../../src/http/problem.ts';
import { listen } from '../../../src/http/server.ts';

/** Serves the app on a free port until the test is over. Resolves to the port. */
export async function serveApp(app: Express, host = '127.0.0.1'): Promise<number> {
  const listening = await listen(app, { host, port: 0 });
  onTestFinished(() => listening.close(0));
  return listening.port;
}

/** Answers a problem with its status, headers and code. */
export const answerProblem: ErrorRequestHandler = (error, _request, response, next) => {
  const { status, headers, code, message, lines } = problemOf(error);
  response.status(status).set(headers).json({ code, message, lines });
  void next;
};

export interface RawAnswer {
  readonly status: number;
  readonly text: string;
}

/** Sends the bytes as they are; resolves to all that came back when the connection has ended. */
export async function rawRequest(port: number, ...pieces: (string | Buffer)[]): Promise<RawAnswer> {
  const socket = createConnection({ port, host: '127.0.0.1' });
  onTestFinished(() => void socket.destroy());
  let text = '';
  socket.setEncoding('latin1').on('data', (piece: string) => (text += piece));
  const ended = new Promise<void>((resolve) => socket.once('close', resolve));
  // Who is refused in the middle may be reset while it still writes.
  socket.on('error', () => undefined);
  for (const piece of pieces) socket.write(piece);
  await ended;
  return { status: Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0), text };
}
