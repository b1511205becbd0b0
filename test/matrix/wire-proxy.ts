/**
 * A TCP proxy between the program and its provider that does what networks do: it resets, cuts,
 * stalls, dawdles, delivers late or twice. It reads no more HTTP than the first line and the
 * length of a request, and counts how often each fault struck.
 */

import net from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { WireExchange } from './wire-exchange.ts';

export type WireKind =
  /** Before anything is forwarded. */
  | 'reset_before'
  /** Half of the request is forwarded, then both sides are reset. */
  | 'half_request'
  /** The request is forwarded and answered; the client gets a reset instead of the answer. */
  | 'reset_after'
  /** The answer ends in the middle of its body. */
  | 'half_answer'
  /** The answer ends in the middle of its head. */
  | 'head_cut'
  /** The answer comes in crumbs. */
  | 'slow'
  /** The answer stops in the middle, and the connection stays open. */
  | 'stall'
  /** The answer comes after `delayMs`. */
  | 'late'
  /** The request is delivered twice; the client gets the second answer. */
  | 'twice'
  /** As `twice`, but the client gets no answer at all. */
  | 'twice_unanswered'
  /** The request is kept until `release`, and only then delivered. */
  | 'held';

export interface WireFault {
  readonly kind: WireKind;
  /** On the request's first line, as in `POST /v1/batches HTTP/1.1`. */
  readonly match: RegExp;
  /** Strikes at most so often. */
  readonly times: number;
  readonly delayMs?: number;
}

export class WireProxy {
  readonly #target: number;
  readonly #faults: { fault: WireFault; strikes: number }[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #held: (() => void)[] = [];
  #server: net.Server;
  #port = 0;

  private constructor(target: number, faults: readonly WireFault[]) {
    this.#target = target;
    for (const fault of faults) this.#faults.push({ fault, strikes: 0 });
    this.#server = this.#makeServer();
  }

  /** Listens on loopback in front of the port. */
  static async start(target: number, faults: readonly WireFault[]): Promise<WireProxy> {
    const proxy = new WireProxy(target, faults);
    await proxy.#listen();
    return proxy;
  }

  get port(): number {
    return this.#port;
  }

  /** Each fault with its strikes so far. */
  strikes(): { kind: WireKind; strikes: number }[] {
    return this.#faults.map(({ fault, strikes }) => ({ kind: fault.kind, strikes }));
  }

  /** Whether a request is kept back now. */
  get holds(): boolean {
    return this.#held.length > 0;
  }

  /** Delivers what `held` kept back. */
  release(): void {
    for (const deliver of this.#held.splice(0)) deliver();
  }

  /** From now on connections are refused; those that live are cut. */
  async goAway(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.resetAndDestroy();
    await closed;
  }

  /** Listens again, on the same port. */
  async comeBack(): Promise<void> {
    this.#server = this.#makeServer();
    await this.#listen();
  }

  async close(): Promise<void> {
    if (this.#server.listening) await this.goAway();
  }

  async #listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#port, '127.0.0.1', resolve);
    });
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  #makeServer(): net.Server {
    return net.createServer({ noDelay: true, allowHalfOpen: false }, (client) => {
      this.#keep(client);
      let exchange: WireExchange | null = null;
      client.on('data', (bytes: Buffer) => {
        if (exchange === null || (exchange.isAnswered && startsRequest(bytes))) {
          exchange = this.#begin(client, bytes, exchange);
        } else exchange.send(bytes);
      });
      client.once('close', () => exchange?.leave());
    });
  }

  #begin(client: Socket, bytes: Buffer, before: WireExchange | null): WireExchange {
    const fault = this.#strike(bytes.toString('latin1', 0, bytes.indexOf(13)));
    const open = (): Socket => this.#keep(net.connect(this.#target, '127.0.0.1'));
    const hold = (deliver: () => void): void => void this.#held.push(deliver);
    const exchange = new WireExchange(client, before?.takeUpstream() ?? null, open, fault, hold);
    exchange.send(bytes);
    return exchange;
  }

  #strike(line: string): WireFault | null {
    for (const one of this.#faults) {
      if (one.strikes >= one.fault.times || !one.fault.match.test(line)) continue;
      one.strikes += 1;
      return one.fault;
    }
    return null;
  }

  #keep(socket: Socket): Socket {
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.once('close', () => this.#sockets.delete(socket));
    return socket;
  }
}

function startsRequest(bytes: Buffer): boolean {
  return /^(?:GET|POST|DELETE) \//.test(bytes.toString('latin1', 0, 9));
}
