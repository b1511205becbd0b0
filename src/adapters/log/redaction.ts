/** What never gets into a line of the log, whoever puts it there. */

import type { LogFields } from '../../ports/log.ts';

export const REDACTED = '[redacted]';

/** A field's name says what it holds. */
const SECRET_NAMES =
  /authori[sz]ation|cookie|password|secret|token|api_?key|^key$|^body$|prompt|messages|signature/i;

/** Keys as they are written: ours, the provider's, webhook secrets, headers, URLs with a login. */
const SECRET_TEXTS: readonly (readonly [RegExp, string])[] = [
  [/\b(Bearer|Basic)\s+[^\s"',;<]+/gi, `$1 ${REDACTED}`],
  [/\bbw_[a-z0-9]+_[\w-]{16,}/g, REDACTED],
  [/\bsk-[\w-]{8,}/g, REDACTED],
  [/\bwhsec_[\w+/=-]{8,}/g, REDACTED],
  [/\b([a-z][a-z0-9+.-]*:\/\/)[^\s/@"']+@/gi, `$1${REDACTED}@`],
];

/** Shorter ones are placeholders; hiding `x` would garble all. */
const MIN_SECRET_CHARACTERS = 8;

/** Takes secrets out of texts and fields. */
export interface Redaction {
  text(text: string): string;
  fields(fields: LogFields): LogFields;
}

/** `secrets`: values that must not appear whatever they look like. */
export function createRedaction(secrets: readonly string[]): Redaction {
  const known = secrets
    .map((secret) => secret.trim())
    .filter((secret) => secret.length >= MIN_SECRET_CHARACTERS);
  const text = (dirty: string): string => {
    let clean = dirty;
    for (const secret of known) clean = clean.replaceAll(secret, REDACTED);
    for (const [pattern, instead] of SECRET_TEXTS) clean = clean.replace(pattern, instead);
    return clean;
  };
  const entry = ([name, value]: [string, LogFields[string]]): [string, LogFields[string]] => {
    if (SECRET_NAMES.test(name)) return [name, REDACTED];
    return [name, typeof value === 'string' ? text(value) : value];
  };
  return { text, fields: (fields) => Object.fromEntries(Object.entries(fields).map(entry)) };
}
