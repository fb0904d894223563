// Refresh: brings a token in place of one that expires soon, while the connection stays.
//
// One at a time, and not faster than one a second. A source that fails, or gives the old token again, is asked anew after
// a wait: the server tells of an end once, and there is time until then. Owned by the client.

import { backoffMs, type Backoff } from './backoff.js';

const leastMs = 1000; // from one try to the next

export class Refresh {
  readonly #show: () => Promise<boolean>;
  readonly #failed: (error: unknown) => void;
  readonly #backoff: Backoff;
  #turn = 0; // counts connections, so that a try of an earlier one says nothing
  #active = false;
  #attempt = 0;
  #triedAt = -Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `show` gets a token and shows it to the server; false: there is no newer one yet. */
  constructor(show: () => Promise<boolean>, failed: (error: unknown) => void, backoff: Backoff) {
    this.#show = show;
    this.#failed = failed;
    this.#backoff = backoff;
  }

  /** The server says that the token expires soon. */
  begin(): void {
    if (this.#active) return;
    this.#active = true;
    this.#attempt = 0;
    const soonest = this.#triedAt + leastMs - Date.now();
    if (soonest > 0) this.#after(soonest);
    else void this.#try();
  }

  /** The connection has ended, and the next one has a token of its own. */
  end(): void {
    ++this.#turn;
    this.#active = false;
    clearTimeout(this.#timer);
  }

  #after(waitMs: number): void {
    this.#timer = setTimeout(() => void this.#try(), waitMs);
  }

  async #try(): Promise<void> {
    const turn = this.#turn;
    this.#triedAt = Date.now();
    let shown = false;
    try {
      shown = await this.#show();
    } catch (error) {
      if (turn === this.#turn) this.#failed(error);
    }
    if (turn !== this.#turn) return;
    if (shown) this.#active = false;
    else this.#after(Math.max(leastMs, backoffMs(this.#attempt++, this.#backoff)));
  }
}
