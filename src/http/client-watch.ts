/** Watches the client of a body that streams in: whether it is still there, and still sends. */

import type { IncomingMessage } from 'node:http';
import { Problem } from './problem.ts';

export class ClientWatch {
  readonly #request: IncomingMessage;
  readonly #idleMs: number;
  readonly #fail: (problem: Problem) => void;
  readonly #timer: NodeJS.Timeout;
  #receivedBytes = 0;

  /**
   * `fail` is called with 499 when the client has gone, with 408 when no byte came for `idleMs`
   * while somebody wanted one. The request's bytes are read by somebody else.
   */
  constructor(request: IncomingMessage, idleMs: number, fail: (problem: Problem) => void) {
    this.#request = request;
    this.#idleMs = idleMs;
    this.#fail = fail;
    this.#timer = setTimeout(() => this.#onSilence(), idleMs);
    request.on('data', this.#onData).on('close', this.#onClose).on('error', this.#onClose);
    if (request.destroyed) this.#onClose();
  }

  /** Before anything was decoded. */
  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#request.off('data', this.#onData).off('close', this.#onClose);
  }

  readonly #onData = (block: Buffer): void => {
    this.#receivedBytes += block.length;
    this.#timer.refresh();
  };

  /** The listener for errors stays: a connection that breaks later must not end the process. */
  readonly #onClose = (): void => {
    if (this.#request.complete) return;
    const message = 'The client went away before it had sent everything.';
    this.#fail(new Problem({ status: 499, code: 'client_gone', message }));
  };

  #onSilence(): void {
    // A body that waits for our disk is not the client's fault.
    if (this.#request.isPaused()) {
      this.#timer.refresh();
      return;
    }
    const seconds = Math.ceil(this.#idleMs / 1000);
    const message = `Nothing came for ${seconds} seconds; send the body again.`;
    this.#fail(new Problem({ status: 408, code: 'too_slow', message }));
  }
}
