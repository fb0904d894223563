// Refresh: brings a token in place of one that expires soon, while the connection stays.
//
// One at a time, and from one to the next half of what is left of the token, a second at least. A source that fails, or
// gives the old token again, is asked anew after a wait that is no longer than that: the server tells of an end once, and a
// cache may get its next token shortly before it. Owned by the client.

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
  #expiresAt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `show` gets a token and shows it to the server; false: there is no newer one yet. */
  constructor(show: () => Promise<boolean>, failed: (error: unknown) => void, backoff: Backoff) {
    this.#show = show;
    this.#failed = failed;
    this.#backoff = backoff;
  }

  /** The server says that the token expires soon: at this moment, by our clock. */
  begin(expiresAt: number): void {
    this.#expiresAt = expiresAt;
    if (this.#active) return;
    this.#active = true;
    this.#attempt = 0;
    const soonest = this.#triedAt + Math.max(leastMs, this.#half) - Date.now();
    if (soonest > 0) this.#after(soonest);
    else void this.#try();
  }

  /** The connection has ended, and the next one has a token of its own. */
  end(): void {
    ++this.#turn;
    this.#active = false;
    clearTimeout(this.#timer);
  }

  /** Of what is left; nothing where the clock was set meanwhile. */
  get #half(): number { return Math.max(0, this.#expiresAt - Date.now()) / 2; }

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
    else this.#after(Math.max(leastMs, Math.min(this.#half || Infinity, backoffMs(this.#attempt++, this.#backoff))));
  }
}
