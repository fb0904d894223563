// Inbox: direct messages, each handled once, one after the other, and said to be received after that.
//
// The server sends again with each connection what was not received. `received` speaks for all offsets up to its own,
// so after a message whose handler has failed, or that was dropped, none is sent until that message has come again and
// was handled.

export interface Direct<Payload = unknown> {
  readonly from: string;
  readonly payload: Payload;
  readonly messageId: string;
  /** Of the inbox in which `offset` counts. */
  readonly epoch: string;
  readonly offset: number;
  /** Milliseconds since 1970. */
  readonly sentAt: number;
}

export type DirectHandler = (message: Direct) => void | Promise<void>;

const rememberedMax = 4000; // an inbox keeps 1000; doubles come from those alone
const waitingMax = 1000;    // for a handler that is not there yet; the server keeps no more either, by default

interface Waiting {
  readonly message: Direct;
  readonly turn: number;
}

export class Inbox {
  readonly #received: (message: Direct) => void;
  readonly #failed: (error: unknown) => void;
  readonly #handled = new Set<string>();
  #waiting: Waiting[] = [];
  #handler: DirectHandler | undefined;
  #busy = false;
  #stuckAt = Infinity; // the first offset on this connection whose handler failed, or that was dropped
  #turn = 0;           // of the inbox on this connection: an answer to an earlier one is not sent

  constructor(received: (message: Direct) => void, failed: (error: unknown) => void) {
    this.#received = received;
    this.#failed = failed;
  }

  /** What has come without a handler waits for one, the newest of it. Gives what ends this handler. */
  handle(handler: DirectHandler): () => void {
    const mine: DirectHandler = (message) => handler(message); // one function may be given twice
    this.#handler = mine;
    void this.#work();
    return () => { if (this.#handler === mine) this.#handler = undefined; };
  }

  /** All that is not received comes again. */
  opened(): void {
    ++this.#turn;
    this.#waiting = [];
    this.#stuckAt = Infinity;
  }

  /** Its offsets begin anew: what is here is handled, but nothing is said of its old offsets. */
  restarted(): void {
    ++this.#turn;
    this.#stuckAt = Infinity;
  }

  take(message: Direct): void {
    this.#waiting.push({ message, turn: this.#turn });
    while (!this.#handler && this.#waiting.length > waitingMax) this.#drop(this.#waiting.shift()!);
    void this.#work();
  }

  /** As long as nothing later is received, the server gives it again with the next connection, or tells that it is lost. */
  #drop({ message, turn }: Waiting): void {
    if (turn === this.#turn) this.#stuckAt = Math.min(this.#stuckAt, message.offset);
  }

  async #work(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    for (let next; this.#handler && (next = this.#waiting.shift());) {
      const { message, turn } = next;
      const done = this.#handled.has(message.messageId) || await this.#run(this.#handler, message);
      if (turn !== this.#turn) continue; // its connection is gone; it comes again and is known then
      if (!done) this.#stuckAt = Math.min(this.#stuckAt, message.offset);
      if (message.offset < this.#stuckAt) this.#received(message);
    }
    this.#busy = false;
  }

  async #run(handler: DirectHandler, message: Direct): Promise<boolean> {
    try {
      await handler(message);
    } catch (error) {
      this.#failed(error);
      return false;
    }
    this.#handled.add(message.messageId);
    if (this.#handled.size > rememberedMax) for (const oldest of this.#handled) { this.#handled.delete(oldest); break; }
    return true;
  }
}
