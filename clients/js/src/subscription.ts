// Entry: one topic or pattern that this client wants, and where in it the client is.
//
// It outlives sockets. `live` means that the server has confirmed it on the socket that is open now; until then
// messages are not for it, for they will come again by recovery. What it passes on has no doubles, and no hole that
// was not told as a gap.

import type { TroupeError } from './error.js';
import { isPattern } from './topic.js';
import { Positions, step, without, type Position, type Range } from './position.js';

export interface Message<Payload = unknown> {
  readonly topic: string;
  readonly payload: Payload;
  readonly epoch: string;
  readonly offset: number;
  readonly sender?: string;
  /** Milliseconds since 1970. */
  readonly sentAt: number;
}

/** Messages that this client will not get. `missing`: the server left them out without a word. */
export interface Gap extends Range {
  readonly topic: string;
  readonly epoch: string;
  readonly reason: 'overflow' | 'latest' | 'expired' | 'filtered' | 'missing' | (string & {});
}

/** Where a pattern is: a number for each shard of the server. */
export type Shards = Readonly<Record<string, { readonly epoch: string; readonly seq: number }>>;

/** Recovery was not possible: what came between the two positions is unknown, so state must be fetched anew. */
export interface Lost {
  readonly topic: string;
  /** `epoch`: the server began anew; `expired`: what was missed is no longer kept. */
  readonly reason: 'epoch' | 'expired';
  readonly before: Position | Shards | undefined;
  readonly now: Position | Shards | undefined;
}

export interface PresenceChange {
  readonly topic: string;
  readonly joined: readonly string[];
  readonly left: readonly string[];
}

export interface Handlers<Payload = unknown> {
  message?(message: Message<Payload>): void;
  gap?(gap: Gap): void;
  lost?(lost: Lost): void;
  presence?(change: PresenceChange): void;
  /** Confirmed, for the first time or on another socket; at once where the topic is there already. */
  subscribed?(confirmed: { topic: string; recovered: boolean; resumed: boolean }): void;
  /** The server has ended it or did not allow it. */
  unsubscribed?(end: { topic: string; reason: string; error?: TroupeError }): void;
}

/** The handlers of one call of `subscribe`. Several calls may share one object of handlers, but never a handle. */
export interface Handle {
  readonly handlers: Handlers;
  /** Whether it is nothing without presence. */
  readonly presence: boolean;
  /** Its entry, which presence that is added later replaces; or, once it has left, where it was then. */
  at: Pick<Entry, 'position'>;
  gone?: true;
}

export interface SubscribeOptions {
  readonly overflow?: 'drop_oldest' | 'drop_newest' | 'latest' | 'spill' | 'disconnect';
  /** Ask for `presence_changed`. */
  readonly presence?: boolean;
  /** Begin after this position, kept from an earlier run, instead of now. None, as null or undefined, is now. */
  readonly recover?: Position | Shards | null | undefined;
}

/** What the server says about one topic when it confirms. */
export interface Confirmed {
  readonly topic: string;
  readonly epoch?: string;
  readonly offset?: number;
  readonly shards?: Shards;
  readonly recovered?: boolean;
}

/** What the entry tells of; each goes to the entry's handlers and to the client's listeners. */
export interface Tell {
  message(entry: Entry, message: Message): void;
  gap(entry: Entry, gap: Gap): void;
  lost(entry: Entry, lost: Lost): void;
}

export class Entry {
  readonly topic: string;
  readonly isPattern: boolean;
  readonly options: SubscribeOptions;
  readonly handles = new Set<Handle>();
  readonly settled: Array<{ of: Handle; resolve: () => void; reject: (error: TroupeError) => void }> = [];
  live = false;
  /** The server's session has it, so that `resume` brings it back. */
  held = false;
  asking = false;
  /** It may have been there before, with other options. */
  inherited = false;
  failures = 0;
  /** How many a frame that asks for it may ask for. */
  together = Infinity;
  retry: ReturnType<typeof setTimeout> | undefined;
  #seen = new Positions();
  #shards: Record<string, { epoch: string; seq: number }> | undefined;
  #started: boolean;
  #recovered: Confirmed | undefined; // what comes up to there may be from before others' time
  readonly #tell: Tell;
  // Offsets that came as the ack of a publication with exclude_self, and jumps that such acks may yet explain.
  readonly #own = new Map<string, Set<number>>();
  #suspects: Gap[] = [];

  constructor(topic: string, options: SubscribeOptions, tell: Tell) {
    this.topic = topic;
    this.isPattern = isPattern(topic);
    this.options = options;
    this.#tell = tell;
    const recover = options.recover ?? undefined; // what was kept in JSON is null where it was undefined
    this.#started = recover !== undefined;
    if (recover === undefined) return;
    if (this.isPattern) this.#shards = { ...recover as Shards };
    else this.#seen.set(topic, recover as Position);
  }

  /** Where it is; what `recover` takes. Undefined before the first confirmation. */
  get position(): Position | Shards | undefined {
    return this.isPattern ? this.#shards && { ...this.#shards } : this.#seen.get(this.topic);
  }

  /** The same as frames say it. */
  get place(): Position | { shards: Shards } | undefined {
    return this.isPattern ? this.#shards && { shards: { ...this.#shards } } : this.#seen.get(this.topic);
  }

  /** The server has confirmed it on this socket. Gives whether nothing was lost. */
  confirm(confirmed: Confirmed): boolean {
    const before = this.position;
    const recovered = confirmed.recovered === true && this.#started;
    this.#recovered = recovered ? confirmed : undefined;
    if (!recovered) this.#restart(confirmed);
    if (!recovered && this.#started) {
      const reason = epochsDiffer(before, this.position) ? 'epoch' : 'expired';
      this.#tell.lost(this, { topic: this.topic, reason, before, now: this.position });
    }
    this.#started = true;
    this.live = this.held = true;
    this.failures = 0;
    this.together = Infinity;
    return recovered;
  }

  /** Whether this place of its topic lies in what was recovered for it. */
  recovers({ epoch, offset }: Position): boolean {
    return epoch === this.#recovered?.epoch && offset <= this.#recovered.offset!;
  }

  /** Whether what is recovered in a topic for another entry is of this one's time, too. A gap may be, and has no place in
   * a shard: it stands behind them all. */
  follows(topic: string, shard = '', seq = 0): boolean {
    return this.#seen.get(topic) !== undefined || seq > (this.#shards?.[shard]?.seq ?? (this.#recovered ? 0 : Infinity));
  }

  /** Whether this is a place in the epoch in which it is. Of a pattern it is never known. */
  continues({ epoch }: Confirmed): boolean {
    return epoch !== undefined && epoch === this.#seen.get(this.topic)?.epoch;
  }

  #restart({ epoch, offset, shards }: Confirmed): void {
    this.#own.clear();
    this.#suspects = [];
    this.#seen.clear();
    this.#shards = shards && { ...shards };
    if (epoch !== undefined && offset !== undefined) this.#seen.set(this.topic, { epoch, offset });
  }

  /** A message of a topic that lies in this one. `ownPending`: publications with exclude_self still wait for their ack. */
  message(message: Message, ownPending: boolean, shard?: string, seq?: number): void {
    if (!this.live) return;
    const now = { epoch: message.epoch, offset: message.offset };
    const before = this.#seen.get(message.topic);
    const next = step(before, now);
    if (next.kind === 'duplicate') return;
    if (shard !== undefined && seq !== undefined) this.#advance(shard, seq);
    if (next.kind === 'epoch') {
      this.#own.delete(message.topic);
      this.#tell.lost(this, { topic: message.topic, reason: 'epoch', before, now });
    }
    if (next.kind === 'jump') this.#miss(message, next.missing, ownPending);
    this.#arrive(message.topic, now);
    this.#tell.message(this, message);
  }

  // Messages of one shard come in the order of their numbers, so all before this one have come or were told.
  #advance(shard: string, seq: number): void {
    const at = this.#shards?.[shard];
    if (at && seq > at.seq) this.#shards![shard] = { epoch: at.epoch, seq };
  }

  #miss({ topic, epoch }: Message, missing: Range, ownPending: boolean): void {
    const own = this.#own.get(topic) ?? new Set<number>();
    for (const part of without(missing, own)) {
      const gap: Gap = { topic, epoch, ...part, reason: 'missing' };
      if (ownPending) this.#suspects.push(gap);
      else this.#tell.gap(this, gap);
    }
    for (const offset of own) if (offset <= missing.to) own.delete(offset);
  }

  gap(gap: Gap): void {
    if (!this.live) return;
    const at = this.#seen.get(gap.topic);
    if (at && at.epoch === gap.epoch && gap.to <= at.offset) return;
    const from = at && at.epoch === gap.epoch ? Math.max(gap.from, at.offset + 1) : gap.from;
    this.#arrive(gap.topic, { epoch: gap.epoch, offset: gap.to });
    this.#tell.gap(this, { ...gap, from });
  }

  /** The ack of a publication with exclude_self takes the message's place. */
  own(topic: string, { epoch, offset }: Position): void {
    const at = this.#seen.get(topic);
    if (at && at.epoch === epoch && offset > at.offset) this.#keepOwn(topic, at, offset);
    const excuse = (gap: Gap): Gap[] => without(gap, new Set([offset])).map((part) => ({ ...gap, ...part }));
    this.#suspects = this.#suspects.flatMap((gap) => gap.topic === topic && gap.epoch === epoch ? excuse(gap) : [gap]);
  }

  /** No ack is left that could explain them. */
  tellSuspects(topic: string): void {
    const told = this.#suspects.filter((gap) => gap.topic === topic);
    this.#suspects = this.#suspects.filter((gap) => gap.topic !== topic);
    for (const gap of told) this.#tell.gap(this, gap);
  }

  #keepOwn(topic: string, at: Position, offset: number): void {
    let own = this.#own.get(topic);
    if (!own) this.#own.set(topic, own = new Set());
    own.add(offset);
    this.#arrive(topic, at);
  }

  /** The position is here now, or further, where what follows is our own. */
  #arrive(topic: string, { epoch, offset }: Position): void {
    const own = this.#own.get(topic);
    while (own?.delete(offset + 1)) ++offset;
    if (own?.size === 0) this.#own.delete(topic);
    this.#seen.set(topic, { epoch, offset });
  }
}

function epochsDiffer(before: Position | Shards | undefined, now: Position | Shards | undefined): boolean {
  const epochs = (at: Position | Shards | undefined): string =>
    at === undefined ? '' : typeof at.epoch === 'string' ? at.epoch
    : Object.entries(at as Shards).map(([shard, { epoch }]) => `${shard}=${epoch}`).sort().join();
  return epochs(before) !== epochs(now);
}
