/** What a call is answered with, where its work went well. */
export interface Reply {
  readonly status: number;
  readonly body: unknown;
}
