// Listeners by the name of an event. A listener that fails, at once or by its promise, stops no other; its error goes
// to `error`. One that was removed is not called any more.

export class Emitter<Events extends object> {
  readonly #listeners = new Map<keyof Events, Set<(event: never) => void>>();

  /** Calls the listener for each such event, until the function that this gives is called. */
  on<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => void): () => void {
    let all = this.#listeners.get(name);
    if (!all) this.#listeners.set(name, all = new Set());
    all.add(listener as (event: never) => void);
    return () => { all.delete(listener as (event: never) => void); };
  }

  /** Gives whether anybody listens. */
  protected emit<Name extends keyof Events>(name: Name, event: Events[Name]): boolean {
    const all = (this.#listeners.get(name) ?? new Set()) as Set<(event: Events[Name]) => void>;
    const called = [...all]; // those that an earlier one adds come with the next event
    for (const listener of called) if (all.has(listener)) this.guard(() => listener(event), name !== 'error');
    return called.length > 0;
  }

  /** Runs a function of the user's. An error that nobody listens for is thrown where the platform reports it. */
  protected guard(run: () => unknown, tell = true): void {
    const failed = (error: unknown): void => {
      if (tell) this.report(error);
      else queueMicrotask(() => { throw error; });
    };
    try {
      const result = run() as PromiseLike<unknown> | undefined | null;
      if (typeof result?.then === 'function') result.then(undefined, failed);
    } catch (error) {
      failed(error);
    }
  }

  protected report(error: unknown): void {
    if (!this.emit('error' as keyof Events, error as Events[keyof Events])) queueMicrotask(() => { throw error; });
  }
}
