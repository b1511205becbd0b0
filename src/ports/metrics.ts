/** What a process tells those who watch it with numbers. No label ever names a tenant or a key. */

/** One number of a measure. */
export interface Sample {
  /** A value for each of the measure's labels. */
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Something that is counted or kept elsewhere, and read when somebody asks for it. */
export interface Measure {
  /** Begins with `batchwright_` and ends with its unit; of a counter: with `_total`. */
  readonly name: string;
  readonly help: string;
  readonly kind: 'counter' | 'gauge';
  readonly labels: readonly string[];
  /** Null where it is not known. Where it rejects, or takes long, the rest is shown without it. */
  read(): Promise<readonly Sample[] | null> | readonly Sample[] | null;
}

/** One HTTP request that is over. */
export interface EndedRequest {
  readonly method: string;
  /** The pattern, never the path: a path holds ids. */
  readonly route: string;
  readonly status: number;
  readonly seconds: number;
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

export interface Metrics {
  requestEnded(request: EndedRequest): void;
  /** Of what `text` resolves to. */
  readonly contentType: string;
  /** All of it, in Prometheus' text format. Never rejects because of a measure. */
  text(): Promise<string>;
}
