/** Local working space: lost when the machine is, never the truth. */
export interface Scratch {
  /** Makes an empty folder of its own; the returned path is absolute. */
  makeFolder(label: string): Promise<string>;
  /** Removes a folder that makeFolder made, with everything in it; absent is fine. */
  removeFolder(path: string): Promise<void>;
  /** Removes folders that dead processes left. Resolves to how many went. */
  removeAbandoned(): Promise<number>;
  /** Bytes that can still be written where this scratch lies. */
  freeBytes(): Promise<number>;
}
