// Members: who is in a topic now. Pages of the state and the changes since are merged, anew on each connection. A page
// that the server does not give now is asked for again.

import { backoffMs, type Backoff } from './backoff.js';
import { passing, type TroupeError } from './error.js';
import type { PresenceChange } from './subscription.js';

export interface PresencePage {
  /** How many users there are, also where not all are listed. */
  readonly count: number;
  readonly users: readonly string[];
  /** Give it to `after` for the next page; undefined on the last. */
  readonly next?: string;
}

export type MembersChange = Omit<PresenceChange, 'topic'>;

export class Members {
  readonly #page: (after: string | undefined) => Promise<PresencePage>;
  readonly #changed: (change: MembersChange) => void;
  readonly #backoff: Backoff;
  #users = new Set<string>();
  #loading: Map<string, boolean> | undefined; // who is there or not by what was told since the first page was asked for
  #turn = 0;
  #endPause = (): void => {};

  constructor(page: (after: string | undefined) => Promise<PresencePage>, changed: (change: MembersChange) => void, backoff: Backoff) {
    this.#page = page;
    this.#changed = changed;
    this.#backoff = backoff;
  }

  get users(): ReadonlySet<string> { return this.#users; }

  /** Reads all pages and tells what is different from what was known before. False: another turn, or close(), came first. */
  async load(): Promise<boolean> {
    const turn = this.#begin();
    const changes = this.#loading = new Map<string, boolean>();
    const users = new Set<string>();
    let after: string | undefined;
    do {
      const page = await this.#read(after, turn);
      if (!page) return false;
      for (const user of page.users) users.add(user);
      after = page.next;
    } while (after !== undefined);
    for (const [user, there] of changes) {
      if (there) users.add(user);
      else users.delete(user);
    }
    this.#loading = undefined;
    const before = this.#users;
    this.#users = users;
    this.#tell([...users].filter((user) => !before.has(user)), [...before].filter((user) => !users.has(user)));
    return true;
  }

  change({ joined, left }: PresenceChange): void {
    if (this.#loading) {
      for (const user of joined) this.#loading.set(user, true);
      for (const user of left) this.#loading.set(user, false);
      return;
    }
    const come = joined.filter((user) => !this.#users.has(user));
    const gone = left.filter((user) => this.#users.has(user));
    for (const user of come) this.#users.add(user);
    for (const user of gone) this.#users.delete(user);
    this.#tell(come, gone);
  }

  /** Reads no more. */
  close(): void {
    this.#begin();
    this.#loading = undefined;
  }

  /** What an earlier turn still waits for is nobody's. */
  #begin(): number {
    this.#endPause();
    return ++this.#turn;
  }

  /** One page; undefined once another turn has begun. */
  async #read(after: string | undefined, turn: number): Promise<PresencePage | undefined> {
    for (let failures = 0; turn === this.#turn; ++failures) {
      try {
        const page = await this.#page(after);
        return turn === this.#turn ? page : undefined;
      } catch (error) {
        if (turn !== this.#turn) return undefined;
        const { code, retryAfterMs } = error as TroupeError;
        if (!passing.has(code)) {
          this.#loading = undefined;
          throw error;
        }
        await this.#pause(Math.max(retryAfterMs ?? 0, backoffMs(failures, this.#backoff)));
      }
    }
    return undefined;
  }

  #pause(ms: number): Promise<void> {
    return new Promise((over) => {
      const timer = setTimeout(over, ms);
      this.#endPause = () => {
        clearTimeout(timer);
        over();
      };
    });
  }

  #tell(joined: string[], left: string[]): void {
    if (joined.length > 0 || left.length > 0) this.#changed({ joined, left });
  }
}
