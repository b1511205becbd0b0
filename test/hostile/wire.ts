/** How answers leave: refused, cut, slow, in pieces, mislabelled, or as they should. */

import type { ServerResponse } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import type { Mischief } from './mischief.ts';

const HTML = '<html><body><h1>502 Bad Gateway</h1></body></html>';

export class Wire {
  readonly #mischief: Mischief;
  #answers = 0;
  /** Refusals in a row: a server that only refuses proves nothing. */
  #refusals = 0;

  constructor(mischief: Mischief) {
    this.#mischief = mischief;
  }

  /** Refuses a call that has had no effect; true where it did. */
  refuses(shape: string, response: ServerResponse): boolean {
    if (this.#refusals >= 3) {
      this.#refusals = 0;
      return false;
    }
    const key = [shape, (this.#answers += 1)] as const;
    if (this.#limits(key, response)) return true;
    let refused = true;
    if (this.#mischief.happens('server_error', ...key)) {
      void this.fail(response, 500, '{"error":{"message":"The server had an error"}}');
    } else if (this.#mischief.happens('html_error', ...key)) {
      response.writeHead(502, { 'content-type': 'text/html' }).end(HTML);
    } else if (this.#mischief.happens('empty_body', ...key)) {
      refused = this.#answersEmpty(shape, response);
    } else if (this.#mischief.happens('cut_answer', ...key)) {
      void this.reset(response, Buffer.from('{"object":"list","data":[{"id":"'));
    } else {
      refused = false;
    }
    this.#refusals = refused ? this.#refusals + 1 : 0;
    return refused;
  }

  /** A 429 before anything was done, which is the one refusal that a create can believe. */
  limitsRate(shape: string, response: ServerResponse): boolean {
    return this.#limits([shape, (this.#answers += 1)], response);
  }

  /** An answer to a create of which its sender learns nothing: `text` is of a batch that exists. */
  async breakOff(response: ServerResponse, number: number, text: string | null): Promise<void> {
    const ways = ['reset', 'half', '500', '502', '409', '504', 'empty'] as const;
    const way = this.#mischief.chance.pick(ways, 'way', number);
    if (way === 'reset') response.socket?.resetAndDestroy();
    else if (way === 'half') await this.reset(response, Buffer.from(text ?? '{"id":"batch_'));
    else if (way === '500') await this.fail(response, 500, '{"error":{"message":"went wrong"}}');
    else if (way === '409') await this.fail(response, 409, '{"error":{"message":"conflict"}}');
    else if (way === 'empty') response.writeHead(200).end();
    else response.writeHead(Number(way), { 'content-type': 'text/html' }).end(HTML);
  }

  async fail(response: ServerResponse, status: number, text: string): Promise<void> {
    response.writeHead(status, { 'content-type': 'application/json' }).end(text);
  }

  /** Announces all of the bytes, sends the first half, and resets the connection. */
  async reset(response: ServerResponse, content: Buffer): Promise<void> {
    response.writeHead(200, { 'content-length': content.length + 1 });
    response.write(content.subarray(0, content.length / 2));
    await pause(5);
    response.socket?.resetAndDestroy();
  }

  async json(response: ServerResponse, value: object): Promise<void> {
    await this.#send(response, Buffer.from(JSON.stringify(value)), 'application/json');
  }

  async bytes(response: ServerResponse, content: Buffer): Promise<void> {
    await this.#send(response, content, 'application/octet-stream');
  }

  async #send(response: ServerResponse, content: Buffer, usual: string): Promise<void> {
    const key = (this.#answers += 1);
    const odd = this.#mischief.happens('wrong_content_type', key);
    const type = odd ? this.#mischief.chance.pick(['text/html', 'text/plain'], key) : usual;
    const chunked = this.#mischief.happens('chunked_body', key);
    response.writeHead(200, {
      'content-type': type,
      ...(chunked ? {} : { 'content-length': content.length }),
    });
    if (this.#mischief.happens('slow_body', key)) {
      const piece = Math.ceil(content.length / 4) || 1;
      for (let at = 0; at < content.length; at += piece) {
        response.write(content.subarray(at, at + piece));
        await pause(20);
      }
      response.end();
      return;
    }
    response.end(content);
  }

  #limits(key: readonly [string, number], response: ServerResponse): boolean {
    const waits = this.#mischief.happens('rate_limit_with_wait', ...key);
    if (!waits && !this.#mischief.happens('rate_limit', ...key)) return false;
    const header: Record<string, string> = waits
      ? { 'retry-after': this.#mischief.chance.pick(['1', '0.5'], ...key) }
      : {};
    response.writeHead(429, header).end('Slow down');
    return true;
  }

  /** An empty success to a read; an empty success to a deletion would be none. */
  #answersEmpty(shape: string, response: ServerResponse): boolean {
    if (!shape.startsWith('GET') || shape.endsWith('content')) return false;
    response.writeHead(200).end();
    return true;
  }
}
