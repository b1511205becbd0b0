/** The log as JSON lines, by pino. */

import type { Logger } from 'pino';
import { destination, pino, stdTimeFunctions } from 'pino';

import type { Log, LogFields, LogLevel } from '../../ports/log.ts';
import type { Redaction } from './redaction.ts';
import { createRedaction } from './redaction.ts';

/** A reader that stops reading costs lines, never memory. */
const MAX_WAITING_BYTES = 16_000_000;

const STDOUT = 1;
const NOTHING: LogFields = {};

export interface LogOptions {
  readonly level: LogLevel;
  /** Takes each line with its line break; null: stdout. */
  readonly write: ((line: string) => void) | null;
  /** Values that must never be written, whatever they look like. */
  readonly secrets: readonly string[];
}

export interface OpenLog extends Log {
  /** Resolves when what waits is written, or cannot be. */
  close(): Promise<void>;
}

/** Lines `{"level":"info","time":"2026-…Z", …fields, "message":"…"}`. */
export function createLog({ level, write, secrets }: LogOptions): OpenLog {
  const options = {
    level,
    base: null,
    messageKey: 'message',
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  const redaction = createRedaction(secrets);
  if (write !== null) {
    const log = new PinoLog(pino(options, { write }), redaction);
    return Object.assign(log, { close: () => Promise.resolve() });
  }
  const stdout = destination({ dest: STDOUT, sync: false, maxLength: MAX_WAITING_BYTES });
  // A reader that went away must not end the service.
  stdout.on('error', () => undefined);
  const log = new PinoLog(pino(options, stdout), redaction);
  return Object.assign(log, { close: () => flushed(stdout) });
}

class PinoLog implements Log {
  readonly #pino: Logger;
  readonly #redaction: Redaction;

  constructor(logger: Logger, redaction: Redaction) {
    this.#pino = logger;
    this.#redaction = redaction;
  }

  debug(message: string, fields = NOTHING): void {
    this.#write('debug', message, fields);
  }

  info(message: string, fields = NOTHING): void {
    this.#write('info', message, fields);
  }

  warn(message: string, fields = NOTHING): void {
    this.#write('warn', message, fields);
  }

  error(message: string, fields = NOTHING): void {
    this.#write('error', message, fields);
  }

  with(fields: LogFields): Log {
    return new PinoLog(this.#pino.child(this.#redaction.fields(fields)), this.#redaction);
  }

  #write(level: 'debug' | 'info' | 'warn' | 'error', message: string, fields: LogFields): void {
    if (!this.#pino.isLevelEnabled(level)) return;
    this.#pino[level](this.#redaction.fields(fields), this.#redaction.text(message));
  }
}

function flushed(stdout: ReturnType<typeof destination>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  stdout.once('error', () => resolve());
  stdout.flush(() => resolve());
  return promise;
}
