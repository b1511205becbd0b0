/** Numbers on the command line: what is none would simulate nothing, and find nothing wrong. */

/** The text as a whole number from 1 on; ends the program where it is none. */
export function countOf(option: string, text: string): number {
  if (/^\d+$/.test(text) && Number(text) > 0) return Number(text);
  console.error(`--${option} takes a whole number from 1 on, not ${JSON.stringify(text)}.`);
  process.exit(1);
}
