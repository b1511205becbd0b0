/** Lets ioredis ask where the server is at each connect, and not once for ever. */

import type { Socket } from 'node:net';
import { Socket as NetSocket } from 'node:net';

import { AbstractConnector } from 'ioredis';

const DISCONNECT_TIMEOUT_MS = 500;

/**
 * A class for ioredis' `Connector` option; `duplicate()` hands it on. A failed dial must look
 * like a connection that broke: ioredis never retries where `connect` itself rejects.
 */
export function connectorTo(dial: () => Promise<Socket>): new () => AbstractConnector {
  return class DialledConnector extends AbstractConnector {
    constructor() {
      super(DISCONNECT_TIMEOUT_MS);
    }

    override async connect(): Promise<Socket> {
      this.connecting = true;
      const stream = await dial().catch((error: Error) => {
        this.firstError = error;
        return new NetSocket().destroy();
      });
      if (!this.connecting) {
        stream.destroy();
        throw new Error('Connection is closed.');
      }
      this.stream = stream;
      return stream;
    }
  };
}
