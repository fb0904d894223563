// History: what a topic has kept, item by item as it comes; leaving the loop early tells the server to stop.

import type { TroupeError } from './error.js';
import type { Frame } from './frame.js';
import type { Position } from './position.js';
import type { Message } from './subscription.js';

export interface HistoryOptions {
  /** 1 to 1000. */
  readonly limit?: number;
  /** The items after this position, oldest first; without `since` and `before` the newest. */
  readonly since?: Position;
  /** The items before this position. */
  readonly before?: Position;
}

export interface HistoryStart {
  readonly end: Promise<Frame>;
  readonly cancel: () => void;
}

export class History<Payload = unknown> implements AsyncIterableIterator<Message<Payload>> {
  /** After the end: whether nothing that was asked for is missing. */
  complete: boolean | undefined;
  readonly #start: (item: (frame: Frame) => void) => HistoryStart;
  readonly #items: Message<Payload>[] = [];
  #cancel: (() => void) | undefined;
  #state: 'new' | 'open' | 'ended' = 'new';
  #error: unknown;
  readonly #wakes: Array<() => void> = []; // of those that wait for an item or the end

  constructor(start: (item: (frame: Frame) => void) => HistoryStart) { this.#start = start; }

  [Symbol.asyncIterator](): this { return this; }

  async next(): Promise<IteratorResult<Message<Payload>, undefined>> {
    if (this.#state === 'new') this.#open();
    while (this.#items.length === 0 && this.#state === 'open') await new Promise<void>((wake) => this.#wakes.push(wake));
    const value = this.#items.shift();
    if (value) return { done: false, value };
    const error = this.#error;
    this.#error = undefined;
    if (error !== undefined) throw error;
    return { done: true, value: undefined };
  }

  async return(): Promise<IteratorResult<Message<Payload>, undefined>> {
    if (this.#state === 'open') this.#cancel?.();
    this.#state = 'ended';
    this.#items.length = 0;
    this.#wakeAll();
    return { done: true, value: undefined };
  }

  #open(): void {
    const { end, cancel } = this.#start((frame) => {
      if (this.#state === 'ended') return;
      const { topic, payload, epoch, offset, sender, sent_at: sentAt } = frame;
      this.#items.push({ topic, payload, epoch, offset, sentAt, ...(sender === undefined ? {} : { sender }) } as Message<Payload>);
      this.#wakeAll();
    });
    this.#state = 'open'; // not so where the client is closed and has thrown
    this.#cancel = cancel;
    end.then((frame) => { this.complete = frame['complete'] === true; }, (error: unknown) => {
      if (this.#state !== 'open') return;
      this.#error = error;
      if ((error as TroupeError).code === 'timeout') cancel(); // the server need not go on for nobody
    }).finally(() => {
      this.#state = 'ended';
      this.#wakeAll();
    });
  }

  #wakeAll(): void {
    for (const wake of this.#wakes.splice(0)) wake();
  }
}
