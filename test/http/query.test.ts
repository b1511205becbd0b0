import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { expect, it, onTestFinished } from 'vitest';

import { problemOf } from '../../src/http/problem.ts';
import { queryOf } from '../../src/http/query.ts';
import { rawRequest } from './support/small-app.ts';

/** Says as JSON what the query of this target is, as it arrives over HTTP. */
async function asked(target: string): Promise<{ status: number; json: unknown }> {
  const server = createServer(({ url = '' }, response) => {
    try {
      response.end(JSON.stringify(queryOf(url)));
    } catch (error) {
      const { status, message } = problemOf(error);
      response.writeHead(status).end(JSON.stringify(message));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const rest = ' HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n';
  const { port } = server.address() as AddressInfo;
  const { status, text } = await rawRequest(port, 'GET ', target, rest);
  const body = Buffer.from(text.slice(text.indexOf('\r\n\r\n') + 4), 'latin1').toString();
  return { status, json: JSON.parse(/[{"].*[}"]/.exec(body)?.[0] ?? 'null') };
}

it('reads what is escaped, and percent signs that stand for themselves', async () => {
  const { json } = await asked('/?a=%C3%A9&c=100%&d=%zz&m[k%20]=x+y');
  expect(json).toEqual({ a: 'é', c: '100%', d: '%zz', m: { 'k ': 'x y' } });
});

it.each(['/?name=%ff%fe', '/?%ff=a', '/?a=%C3x', '/?m[k]=a%C3'])(
  'refuses %s, which is no UTF-8, instead of reading something else',
  async (target) => {
    const { status, json } = await asked(target);
    expect([status, json]).toEqual([400, expect.stringContaining('not UTF-8')]);
  },
);
