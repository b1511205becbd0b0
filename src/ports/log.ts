/**
 * What a service writes down for its operators, one line an entry. Never holds keys, cookies,
 * bodies, prompts or answers: fields are flat, so that nothing large slips in.
 */

/** The least that is written; `silent`: nothing. */
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

export type LogFields = Readonly<Record<string, string | number | boolean | null>>;

/** No method throws or waits: where lines cannot be written they are lost. */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A log whose every line has these fields too. */
  with(fields: LogFields): Log;
}
