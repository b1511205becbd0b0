/** Where the provider is and how one shows who one is there. */

import { invariant } from '../../domain/errors.ts';
import type { Clean } from './provider-text.ts';

export interface Connection {
  /** With its path prefix, as in `https://api.openai.com/v1`; http or https. */
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly organization: string | null;
  readonly project: string | null;
  readonly userAgent: string;
}

/** What a transfer of file bytes needs, up or down. */
export interface Transfer {
  readonly connection: Connection;
  readonly clean: Clean;
  /** Without progress for so long, a connection counts as dead. */
  readonly stallMs: number;
  /** How long the server may think about an uploaded file after its last byte. */
  readonly answerMs: number;
}

/** The address of a path such as `/files` below the base URL, whose prefix and query are kept. */
export function addressOf(connection: Connection, path: string): URL {
  const url = new URL(connection.baseUrl);
  url.pathname = url.pathname.replace(/\/+$/, '') + path;
  return url;
}

/** The headers of every call that does not go through the SDK. */
export function headersOf(connection: Connection): Record<string, string> {
  return {
    accept: 'application/json',
    // A compressed body that is cut gives no error: never ask for one.
    'accept-encoding': 'identity',
    authorization: `Bearer ${connection.apiKey}`,
    'user-agent': connection.userAgent,
    ...(connection.organization === null ? {} : { 'openai-organization': connection.organization }),
    ...(connection.project === null ? {} : { 'openai-project': connection.project }),
  };
}

/** Crashes on the ids that, as a path segment, would lead to another route. */
export function requireId(id: string): void {
  invariant(id !== '' && id !== '.' && id !== '..', `an id was expected, not '${id}'`);
}
