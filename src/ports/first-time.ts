/** Remembers for a while what was seen, together with other processes. */
export interface FirstTime {
  /** Whether nobody has asked with this key for `forMs`; the asking is what is remembered. */
  isFirst(key: string, forMs: number): Promise<boolean>;
}
