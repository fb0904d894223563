// Subscriptions: all entries of a client, kept the same on the server over one socket after the other.
//
// What is wanted in one turn is asked for in one frame. One forbidden topic refuses a whole frame, so what was
// refused together is asked for again one by one; what the server has no room for now is asked for again later. The
// server also recovers only so much before we have taken it: what found no room is asked for again once that has come,
// with fewer beside it, and is lost only where it finds none alone.

import { backoffMs, type Backoff } from './backoff.js';
import { passing, TroupeError } from './error.js';
import type { Frame } from './frame.js';
import { Entry, type Confirmed, type Gap, type Handle, type Handlers, type Message, type PresenceChange, type SubscribeOptions, type Tell } from './subscription.js';
import { matches } from './topic.js';
import type { Position } from './position.js';

/** How the entries speak. */
export interface Subscribing {
  /** Asks on this socket alone. What was missed may follow the answer at once, so that is taken on the spot. */
  askNow(frame: object, answer?: (frame: Frame) => void): Promise<Frame>;
  isOnline(): boolean;
  /** Calls a function of the user's. */
  guard(run: () => unknown): void;
  told(name: 'gap' | 'lost' | 'unsubscribed', event: unknown): void;
}

/** What a user holds of a subscription. */
export interface Subscription {
  readonly topic: string;
  /** Resolves when the server has confirmed it for the first time; rejects when it refuses. */
  readonly ready: Promise<void>;
  /** The last position seen before it ended; give it to `recover` to go on from there in another run. */
  readonly position: Entry['position'];
  unsubscribe(): void;
}

export class Subscriptions {
  readonly #entries = new Map<string, Entry>();
  readonly #patterns = new Map<string, Entry>(); // those of them
  readonly #stale = new Set<string>(); // ended, and the server does not know it yet: its session may outlive the socket
  readonly #ownPending = new Map<string, number>();
  #dropping: ReturnType<typeof setTimeout> | undefined;
  readonly #way: Subscribing;
  readonly #backoff: Backoff;
  readonly #tell: Tell;
  #planned = false;
  #filled = false;   // something was recovered that may still be on its way
  #emptying = false; // we wait until it has come, or ask for what it left no room for

  constructor(way: Subscribing, backoff: Backoff) {
    this.#way = way;
    this.#backoff = backoff;
    this.#tell = {
      message: (entry, message) => this.#each(entry, (handlers) => handlers.message?.(message)),
      gap: (entry, gap) => { this.#each(entry, (handlers) => handlers.gap?.(gap)); way.told('gap', gap); },
      lost: (entry, lost) => { this.#each(entry, (handlers) => handlers.lost?.(lost)); way.told('lost', lost); },
    };
  }

  /** Those who are there now and have not left by then. */
  #each(entry: Entry, run: (handlers: Handlers) => unknown): void {
    for (const handle of [...entry.handles]) if (!handle.gone) this.#way.guard(() => run(handle.handlers));
  }

  add(topic: string, handlers: Handlers, options: SubscribeOptions): Subscription {
    const old = this.#entries.get(topic);
    let wanted: Entry;
    if (!old) {
      this.#put(wanted = new Entry(topic, options, this.#tell));
    } else if (options.presence && !old.options.presence) {
      wanted = this.#replace(old, true);
    } else {
      wanted = old;
    }
    const mine: Handle = { handlers, presence: options.presence === true, at: wanted };
    wanted.handles.add(mine);
    const ready = wanted.live ? Promise.resolve() : new Promise<void>((resolve, reject) => wanted.settled.push({ of: mine, resolve, reject }));
    ready.catch(() => {}); // `unsubscribed` tells it as well
    if (wanted.live) queueMicrotask(() => this.#tellSubscribed(wanted, mine));
    this.#plan();
    return {
      topic,
      ready,
      get position() { return mine.at.position; },
      unsubscribe: () => this.#remove(topic, mine),
    };
  }

  /** Who comes to a topic that is confirmed already has no other confirmation to wait for. */
  #tellSubscribed(entry: Entry, handle: Handle): void {
    if (!entry.live || handle.at !== entry || handle.gone) return;
    this.#way.guard(() => handle.handlers.subscribed?.({ topic: entry.topic, recovered: false, resumed: false }));
  }

  #put(entry: Entry): void {
    this.#entries.set(entry.topic, entry);
    if (entry.isPattern) this.#patterns.set(entry.topic, entry);
  }

  /** To be asked for once more, where we are. */
  #replace(old: Entry, presence: boolean): Entry {
    const { position } = old;
    const entry = new Entry(old.topic, { ...old.options, presence, ...(position ? { recover: position } : {}) }, this.#tell);
    this.#put(entry);
    clearTimeout(old.retry);
    entry.inherited = old.held || old.asking || old.inherited;
    for (const handle of old.handles) {
      handle.at = entry;
      entry.handles.add(handle);
    }
    entry.settled.push(...old.settled.splice(0));
    return entry;
  }

  #remove(topic: string, handle: Handle): void {
    handle.gone = true;
    const entry = this.#entries.get(topic);
    if (!entry?.handles.delete(handle)) return;
    handle.at = { position: entry.position }; // others may go on from here
    if (entry.handles.size > 0) return;
    this.#forget(entry, new TroupeError('closed', 'unsubscribed'));
    this.#leave(entry);
  }

  #leave(entry: Entry): void {
    if (this.#way.isOnline() && !entry.held && !entry.asking && !entry.inherited) return;
    this.#stale.add(entry.topic);
    this.#drop();
  }

  #forget(entry: Entry, error: TroupeError): void {
    entry.live = false;
    clearTimeout(entry.retry);
    if (this.#entries.get(entry.topic) === entry) {
      this.#entries.delete(entry.topic);
      this.#patterns.delete(entry.topic);
    }
    for (const { reject } of entry.settled.splice(0)) reject(error);
  }

  /** A subscription that stays at the server is present for ever, so this is said until it is answered. */
  #drop(failures = 0): void {
    if (!this.#way.isOnline()) return;
    const topics = [...this.#stale].filter((topic) => !this.#entries.has(topic));
    this.#stale.clear();
    if (topics.length === 0) return;
    this.#way.askNow({ type: 'unsubscribe', topics }).catch(({ code, retryAfterMs }: TroupeError) => {
      for (const topic of topics) this.#stale.add(topic);
      if (!passing.has(code) || !this.#way.isOnline()) return; // the next socket says it again
      clearTimeout(this.#dropping);
      this.#dropping = setTimeout(() => this.#drop(failures + 1), Math.max(retryAfterMs ?? 0, backoffMs(failures, this.#backoff)));
    });
  }

  #plan(): void {
    if (this.#planned) return;
    this.#planned = true;
    queueMicrotask(() => {
      this.#planned = false;
      this.#sync();
    });
  }

  /** A socket has been welcomed. */
  opened(resumed: boolean): void {
    const held = [...this.#entries.values()].filter((entry) => entry.held);
    if (!resumed) {
      this.#stale.clear();
      for (const entry of this.#entries.values()) entry.held = entry.inherited = false;
    }
    this.#drop();
    if (resumed && held.length > 0) void this.#resume(held);
    this.#sync();
  }

  lost(): void {
    this.#filled = false;
    clearTimeout(this.#dropping);
    for (const entry of this.#entries.values()) {
      entry.live = entry.asking = false;
      entry.together = Infinity;
      clearTimeout(entry.retry);
    }
  }

  close(error: TroupeError): void {
    for (const entry of [...this.#entries.values()]) this.#forget(entry, error);
  }

  async #resume(entries: Entry[]): Promise<void> {
    for (const entry of entries) entry.asking = true;
    const positions = Object.fromEntries(entries.map((entry) => [entry.topic, entry.place]));
    try {
      await this.#way.askNow({ type: 'resume', positions },
        (answer) => this.#confirm(entries, answer['topics'] as Confirmed[] | undefined, true));
    } catch {
      for (const entry of entries) entry.held = entry.asking = false; // subscribe as on a session of its own
    }
    if (this.#way.isOnline()) this.#sync();
  }

  /** Asks for whatever is wanted and not there, in as few frames as may be. */
  #sync(): void {
    if (!this.#way.isOnline()) return;
    const groups = new Map<string, Entry[]>();
    for (const entry of this.#entries.values()) {
      if (entry.live || entry.asking) continue;
      const key = `${entry.options.overflow ?? ''} ${entry.options.presence === true} ${entry.together} ${entry.failures > 0 ? entry.topic : ''}`;
      groups.set(key, [...groups.get(key) ?? [], entry]);
    }
    for (const group of groups.values()) {
      const { together } = group[0]!;
      if (together === Infinity) void this.#ask(group);
      else if (!this.#emptying) void this.#askEmptied(group.slice(0, together));
    }
  }

  /** One such frame after the other, each when all that was recovered has come, for an answer comes behind it. */
  async #askEmptied(entries: Entry[]): Promise<void> {
    this.#emptying = true;
    for (const entry of entries) entry.asking = true;
    try {
      await this.#way.askNow({ type: 'info' }, () => { this.#filled = false; });
      const left = entries.filter((entry) => this.#entries.get(entry.topic) === entry);
      if (left.length > 0) await this.#ask(left);
    } catch (error) {
      this.#refused(entries, error as TroupeError, true);
    }
    this.#emptying = false;
    this.#sync();
  }

  async #ask(entries: Entry[], recover = true): Promise<void> {
    const { overflow, presence } = entries[0]!.options;
    const positions = Object.fromEntries(entries.flatMap((entry) =>
      entry.place && (recover || !entry.isPattern) ? [[entry.topic, entry.place]] : []));
    const frame = {
      type: 'subscribe', topics: entries.map(({ topic }) => topic),
      ...(Object.keys(positions).length > 0 ? { recover: positions } : {}),
      ...(overflow === undefined ? {} : { overflow }),
      ...(presence ? { presence } : {}),
    };
    for (const entry of entries) entry.asking = true;
    try {
      await this.#way.askNow(frame, (answer) => this.#confirm(entries, answer['topics'] as Confirmed[] | undefined ?? [], false));
    } catch (error) {
      this.#refused(entries, error as TroupeError, recover);
    }
  }

  #confirm(entries: Entry[], confirmed: Confirmed[] | undefined, resumed: boolean): void {
    const byTopic = new Map(confirmed?.map((each) => [each.topic, each]));
    const crowded: Entry[] = []; // perhaps they are kept, and others took the room
    for (const { place, topic } of entries) {
      const told = byTopic.get(topic);
      if (told?.recovered && (told.shards || told.offset! > ((place as Position | undefined)?.offset ?? Infinity))) this.#filled = true;
    }
    for (const entry of entries) {
      entry.asking = false;
      if (this.#entries.get(entry.topic) !== entry) continue; // unsubscribed meanwhile
      const told = confirmed ? byTopic.get(entry.topic) : { topic: entry.topic, recovered: true };
      entry.held = told !== undefined;
      if (!told) continue;
      if (!told.recovered && this.#filled && entry.continues(told)) {
        crowded.push(entry);
        continue;
      }
      const recovered = entry.confirm(told);
      for (const { resolve } of entry.settled.splice(0)) resolve();
      this.#each(entry, (handlers) => handlers.subscribed?.({ topic: entry.topic, recovered, resumed }));
    }
    for (const entry of crowded) entry.together = Math.ceil(crowded.length / 2);
    if (crowded.length > 0) this.#plan();
  }

  #refused(entries: Entry[], error: TroupeError, recover: boolean): void {
    for (const entry of entries) entry.asking = false;
    if (!this.#way.isOnline()) return; // the next socket asks again
    const left = entries.filter((entry) => this.#entries.get(entry.topic) === entry);
    if (passing.has(error.code)) return this.#later(left, error);
    if (entries.length > 1) {
      for (const entry of left) void this.#ask([entry], recover);
      return;
    }
    // A server that does not recover patterns says so; then it begins anew, and the loss is told.
    const [entry] = left;
    if (entry && error.code === 'bad_request' && recover && entry.isPattern && entry.position) return void this.#ask(left, false);
    if (!entry) return;
    if (entry.options.presence) return this.#endPresence(entry, error);
    this.#end(entry, error.code, error);
  }

  /** Where there is no presence, who did not ask for it goes on. */
  #endPresence(entry: Entry, error: TroupeError): void {
    const rest = this.#replace(entry, false);
    for (const handle of entry.handles) {
      if (!handle.presence) continue;
      rest.handles.delete(handle);
      handle.at = entry;
    }
    entry.settled.push(...rest.settled.filter(({ of }) => of.presence)); // settled once, a second time is nothing
    for (const handle of rest.handles) entry.handles.delete(handle);
    this.#end(entry, error.code, error);
    if (rest.handles.size > 0) return this.#plan();
    this.#forget(rest, error);
    this.#leave(rest);
  }

  #later(entries: Entry[], error: TroupeError): void {
    for (const entry of entries) {
      entry.asking = true;
      entry.retry = setTimeout(() => {
        entry.asking = false;
        this.#sync();
      }, Math.max(error.retryAfterMs ?? 0, backoffMs(entry.failures++, this.#backoff)));
    }
  }

  #end(entry: Entry, reason: string, error: TroupeError): void {
    this.#forget(entry, error);
    this.#each(entry, (handlers) => handlers.unsubscribed?.({ topic: entry.topic, reason, error }));
    this.#way.told('unsubscribed', { topic: entry.topic, reason, error });
  }

  // What the server says.

  message(frame: Frame): void {
    const { topic, payload, epoch, offset, sender, sent_at: sentAt, shard, seq } = frame as Frame & { topic: string };
    const message = { topic, payload, epoch, offset, sentAt, ...(sender === undefined ? {} : { sender }) } as Message;
    const pending = this.#ownPending.has(topic);
    const place = [shard, seq] as [string?, number?];
    for (const entry of this.#for(message, ...place)) entry.message(message, pending, ...place);
  }

  gap(frame: Frame): void {
    const { topic, epoch, from, to, reason } = frame as unknown as Gap;
    const entries = this.#for({ topic, epoch, offset: to }, '', Infinity);
    for (const entry of entries) entry.gap({ topic, epoch, from, to, reason });
    if (entries.length === 0 && isInbox(topic)) this.#way.told('gap', { topic, epoch, from, to, reason });
  }

  presence(frame: Frame): void {
    const { topic, joined = [], left = [] } = frame as unknown as PresenceChange;
    for (const entry of this.#in(topic)) this.#each(entry, (handlers) => handlers.presence?.({ topic, joined, left }));
  }

  unsubscribed(frame: Frame): void {
    const reason = String(frame['reason']);
    for (const topic of frame['topics'] as string[]) {
      const entry = this.#entries.get(topic);
      if (entry) this.#end(entry, reason, new TroupeError('forbidden', reason));
    }
  }

  /** Some have lost something while the socket stayed: each goes on after its new position. */
  restarted(frame: Frame): void {
    for (const told of frame['topics'] as Confirmed[]) {
      const entry = this.#entries.get(told.topic);
      if (!entry) {
        if (isInbox(told.topic)) this.#way.told('lost', { topic: told.topic, reason: 'epoch', before: undefined, now: { epoch: told.epoch, offset: told.offset } });
      } else if (entry.live && entry.continues(told)) { // it may still be kept: asked for from where we are
        entry.live = false;
        this.#plan();
      } else if (entry.live) {
        entry.confirm({ ...told, recovered: false });
      }
    }
  }

  /** A publication with exclude_self is under way; its ack, if any, calls what this gives. */
  excluding(topic: string): (ack?: Position & { topic?: string }) => void {
    this.#ownPending.set(topic, (this.#ownPending.get(topic) ?? 0) + 1);
    return (ack) => {
      const left = this.#ownPending.get(topic)! - 1;
      if (left > 0) this.#ownPending.set(topic, left);
      else this.#ownPending.delete(topic);
      const sentTo = ack?.topic ?? topic; // by a rule of the operator
      if (ack) for (const entry of this.#in(sentTo)) entry.own(sentTo, ack);
      if (left === 0) for (const entry of this.#in(topic)) entry.tellSuspects(topic);
    };
  }

  /** Those whom this concerns. What a name recovers may be from before a pattern around it: to that it would be news. */
  #for(place: Position & { topic: string }, ...within: [shard?: string, seq?: number]): Entry[] {
    const { topic } = place;
    const exact = this.#entries.get(topic);
    const all = this.#in(topic);
    return exact?.recovers(place) ? all.filter((entry) => entry === exact || entry.follows(topic, ...within)) : all;
  }

  #in(topic: string): Entry[] {
    const exact = this.#entries.get(topic);
    const found = exact ? [exact] : [];
    for (const entry of this.#patterns.values()) if (entry !== exact && matches(entry.topic, topic)) found.push(entry);
    return found;
  }
}

/** Nobody subscribes to it; what is said of another topic without an entry is of one that has just ended. */
const isInbox = (topic: string): boolean => topic.startsWith('$user.');
