/** Commands for people to paste, as they would type them. */

/**
 * The command line that was given, for going on with its job: without --fresh, which would make
 * another. `argv` as in process.argv.
 */
export function sameCommand(argv: readonly string[]): string {
  const words = argv.slice(2).filter((word) => word !== '--fresh');
  const piped = words.includes('-') ? '(the same input) | ' : '';
  return piped + commandLine(words);
}

/** `batchwright …` with the words quoted where a shell needs it. */
export function commandLine(words: readonly string[]): string {
  return ['batchwright', ...words.map(quoted)].join(' ');
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
