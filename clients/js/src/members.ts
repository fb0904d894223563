// Members: who is in a topic now. Pages of the state and the changes since are merged, anew on each connection.

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
  #users = new Set<string>();
  #loading: PresenceChange[] | undefined; // what has changed since the first page was asked for
  #turn = 0;

  constructor(page: (after: string | undefined) => Promise<PresencePage>, changed: (change: MembersChange) => void) {
    this.#page = page;
    this.#changed = changed;
  }

  get users(): ReadonlySet<string> { return this.#users; }

  /** Reads all pages and tells what is different from what was known before. */
  async load(): Promise<void> {
    const turn = ++this.#turn;
    const changes: PresenceChange[] = this.#loading = [];
    const users = new Set<string>();
    let after: string | undefined;
    do {
      const page = await this.#page(after);
      if (turn !== this.#turn) return; // a later connection reads them anew
      for (const user of page.users) users.add(user);
      after = page.next;
    } while (after !== undefined);
    for (const change of changes) apply(change, users);
    this.#loading = undefined;
    const before = this.#users;
    this.#users = users;
    this.#tell([...users].filter((user) => !before.has(user)), [...before].filter((user) => !users.has(user)));
  }

  change(change: PresenceChange): void {
    if (this.#loading) return void this.#loading.push(change);
    const joined = change.joined.filter((user) => !this.#users.has(user));
    const left = change.left.filter((user) => this.#users.has(user));
    apply(change, this.#users);
    this.#tell(joined, left);
  }

  #tell(joined: string[], left: string[]): void {
    if (joined.length > 0 || left.length > 0) this.#changed({ joined, left });
  }
}

function apply({ joined, left }: PresenceChange, users: Set<string>): void {
  for (const user of joined) users.add(user);
  for (const user of left) users.delete(user);
}
