/** Gates: a test can hold calls of an operation before or after their work, as long as it likes. */

export type Moment = 'before' | 'after';

export interface Hold {
  /** Resolves when the first call has come to the gate. */
  readonly reached: Promise<void>;
  /** Opens the gate for those that wait and for all that come. */
  release(): void;
}

interface Gate {
  readonly opened: Promise<void>;
  readonly arrive: () => void;
}

export class Gates {
  readonly #closed = new Map<string, Gate>();

  /** Closes the gate until `release`. */
  hold(operation: string, moment: Moment): Hold {
    const key = `${moment} ${operation}`;
    const arrival = Promise.withResolvers<void>();
    const opening = Promise.withResolvers<void>();
    this.#closed.set(key, { opened: opening.promise, arrive: arrival.resolve });
    return {
      reached: arrival.promise,
      release: () => {
        this.#closed.delete(key);
        opening.resolve();
      },
    };
  }

  async pass(operation: string, moment: Moment): Promise<void> {
    const gate = this.#closed.get(`${moment} ${operation}`);
    gate?.arrive();
    await gate?.opened;
  }
}
