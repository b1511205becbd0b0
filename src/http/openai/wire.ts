/** How OpenAI's objects look on the wire. */

/** The SDK's type of an object, with every optional field there: null where it has no value. */
export type OnTheWire<Type> = {
  [Key in keyof Type]-?: object extends Pick<Type, Key> ? Required<Type>[Key] | null : Type[Key];
};

/** Wall time in whole seconds since 1970. */
export function unixSeconds(atMs: number): number;
export function unixSeconds(atMs: number | null): number | null;
export function unixSeconds(atMs: number | null): number | null {
  return atMs === null ? null : Math.floor(atMs / 1000);
}
