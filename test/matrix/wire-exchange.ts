/** One request and its answer on a connection through the proxy, and the fault that strikes it. */

import type { Socket } from 'node:net';
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import type { WireFault } from './wire-proxy.ts';

/** What a dawdling network delivers at once, in bytes: at first single ones. */
const CRUMBS = 200;
const CRUMB_BYTES = 64;

/** Less than the shortest head. */
const HEAD_BYTES = 25;

export class WireExchange {
  readonly #client: Socket;
  readonly #open: () => Socket;
  readonly #fault: WireFault | null;
  readonly #hold: (deliver: () => void) => void;
  readonly #request: Buffer[] = [];
  #upstream: Socket | null;
  /** What of the answer is still on its way to the client. */
  #arriving: Promise<void> = Promise.resolve();
  #isOver = false;
  #isDelivered = false;
  /** Whether the server has begun to answer: what the client sends next is another request. */
  isAnswered = false;

  readonly #onData = (bytes: Buffer): void => this.#answer(bytes);
  readonly #onEnd = (): void => {
    if (!this.#isOver) void this.#arriving.then(() => this.#client.end());
  };
  readonly #onClose = (): void => {
    if (!this.#isOver) void this.#arriving.then(() => this.#client.destroy());
  };

  constructor(
    client: Socket,
    upstream: Socket | null,
    open: () => Socket,
    fault: WireFault | null,
    hold: (deliver: () => void) => void,
  ) {
    this.#client = client;
    this.#open = open;
    this.#fault = fault;
    this.#hold = hold;
    this.#upstream = upstream;
    if (upstream !== null) this.#listen(upstream);
  }

  /** The client sends more of the request. */
  send(bytes: Buffer): void {
    if (this.#isOver) return;
    const kind = this.#fault?.kind;
    if (kind === 'reset_before') return this.#reset();
    if (kind === 'twice' || kind === 'twice_unanswered' || kind === 'held') {
      return this.#gather(bytes);
    }
    if (kind === 'half_request') {
      this.#connected().end(bytes.subarray(0, bytes.length >> 1));
      return this.#reset();
    }
    this.#connected().write(bytes);
  }

  /** The client's connection has ended. */
  leave(): void {
    if (this.#fault?.kind !== 'held') this.#upstream?.destroy();
  }

  /** The connection to the server, for the next request; null where it must be a new one. */
  takeUpstream(): Socket | null {
    const upstream = this.#upstream;
    upstream?.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onClose);
    this.#upstream = null;
    return upstream;
  }

  #connected(): Socket {
    if (this.#upstream === null) {
      this.#upstream = this.#open();
      this.#listen(this.#upstream);
    }
    return this.#upstream;
  }

  #listen(upstream: Socket): void {
    upstream.on('data', this.#onData).on('end', this.#onEnd).on('close', this.#onClose);
  }

  #answer(bytes: Buffer): void {
    this.isAnswered = true;
    if (this.#isOver) return;
    const kind = this.#fault?.kind;
    if (kind === 'reset_after') return this.#reset();
    if (kind === 'half_answer') return this.#cut(bytes.subarray(0, middleOfBody(bytes)));
    if (kind === 'head_cut') return this.#cut(bytes.subarray(0, HEAD_BYTES));
    if (kind === 'slow') return this.#arrive(() => crumble(bytes, this.#client));
    if (kind === 'late') {
      return this.#arrive(async () => {
        await delay(this.#fault?.delayMs);
        this.#client.write(bytes);
      });
    }
    if (kind === 'stall') this.#isOver = true;
    this.#client.write(kind === 'stall' ? bytes.subarray(0, middleOfBody(bytes)) : bytes);
  }

  #arrive(deliver: () => Promise<void>): void {
    this.#arriving = this.#arriving.then(deliver);
  }

  #cut(bytes: Buffer): void {
    this.#isOver = true;
    this.#client.end(bytes);
    this.#upstream?.destroy();
  }

  #reset(): void {
    this.#isOver = true;
    this.#client.resetAndDestroy();
  }

  /** Keeps the request until all of it is there, and then delivers it as the fault wants. */
  #gather(bytes: Buffer): void {
    this.#request.push(bytes);
    const whole = Buffer.concat(this.#request);
    if (this.#isDelivered || !isWhole(whole)) return;
    this.#isDelivered = true;
    if (this.#fault?.kind === 'held') {
      this.#hold(() => this.#unheard(whole));
      return;
    }
    const first = this.#open();
    first.write(whole);
    first.once('data', () => {
      first.destroy();
      if (this.#fault?.kind === 'twice') return void this.#connected().write(whole);
      this.#unheard(whole);
      this.#reset();
    });
  }

  /** Delivers a request whose answer nobody waits for. */
  #unheard(whole: Buffer): void {
    const late = this.#open();
    late.write(whole);
    late.once('data', () => late.destroy());
  }
}

function isWhole(request: Buffer): boolean {
  const head = request.indexOf('\r\n\r\n');
  if (head < 0) return false;
  const length = /\r\ncontent-length: (\d+)/i.exec(request.toString('latin1', 0, head))?.[1];
  return request.length >= head + 4 + Number(length ?? 0);
}

/** Behind the head and half of what follows it; half of all where there is no head. */
function middleOfBody(answer: Buffer): number {
  const head = answer.indexOf('\r\n\r\n') + 4;
  return head < 4 ? answer.length >> 1 : head + ((answer.length - head) >> 1);
}

async function crumble(bytes: Buffer, client: Socket): Promise<void> {
  for (let at = 0; at < bytes.length && !client.destroyed;) {
    const size = at < CRUMBS ? 1 : CRUMB_BYTES;
    client.write(bytes.subarray(at, at + size));
    at += size;
    await nextTurn();
  }
}
