/** Words of the provider on their way to people: one line, bounded, and never with the key. */

const MAX_CHARACTERS = 1_000;
/** Shorter keys are placeholders of servers that ask for none; hiding `x` would garble all. */
const MIN_SECRET_CHARACTERS = 8;

/** Makes a text fit for an error message. */
export type Clean = (text: string) => string;

/** A cleaner that hides the API key, in whatever spelling a server may echo it. */
export function createCleaner(apiKey: string): Clean {
  // A header loses the line break that a key read from a file may end with.
  const key = apiKey.trim();
  const spellings =
    key.length < MIN_SECRET_CHARACTERS
      ? []
      : [key, encodeURIComponent(key), Buffer.from(key).toString('base64')];
  return (text) => {
    let clean = text;
    for (const spelling of spellings) clean = clean.replaceAll(spelling, '[key]');
    clean = clean.replace(/\bBearer\s+[^\s"',;<]+/gi, 'Bearer [key]');
    // Control characters could steer the terminal that shows the message.
    clean = clean.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ').trim();
    return clean.length <= MAX_CHARACTERS
      ? clean
      : `${clean.slice(0, MAX_CHARACTERS).toWellFormed()}…`;
  };
}
