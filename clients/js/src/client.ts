// Client: the one thing a user makes. It keeps a connection to the server, and what the user wants over it.
//
// It owns the link, the requests, the subscriptions and the inbox, and brings frames from the one to the others.

import type { Backoff } from './backoff.js';
import { Emitter } from './emitter.js';
import { TroupeError } from './error.js';
import { encodeWithPayload, errorOf, type Frame } from './frame.js';
import { History, type HistoryOptions } from './history.js';
import { Inbox, type DirectHandler } from './inbox.js';
import { Link, type State, type StateEvent, type TokenSource, type WebSocketConstructor } from './link.js';
import { Members, type MembersChange, type PresencePage } from './members.js';
import { Refresh } from './refresh.js';
import { Requests, type Ask, type Limits } from './requests.js';
import { Subscriptions, type Subscription } from './subscriptions.js';
import type { Position } from './position.js';
import type { Gap, Handlers, Lost, Message, SubscribeOptions } from './subscription.js';

export interface ClientOptions {
  /** The access token, or a function that gives one. Without it the connection is anonymous. */
  readonly token?: TokenSource;
  /** The class to connect with; `globalThis.WebSocket` unless given. Node before 22 has none: give it npm `ws`. */
  readonly WebSocket?: WebSocketConstructor;
  /** The waits between tries to connect: full jitter below base * 2^n, and below the bound. */
  readonly backoff?: Partial<Backoff>;
  /** How long an answer may take, time offline included. */
  readonly timeoutMs?: number;
  /** How long until the server has welcomed a connection. */
  readonly connectTimeoutMs?: number;
  /** A ping follows so much silence; what the server recommends unless given. */
  readonly pingIntervalMs?: number;
  /** No answer to it within this time: the socket is given up. */
  readonly pongTimeoutMs?: number;
  /** What may wait to be sent, as frames and as bytes; beyond that `buffer_full`. */
  readonly buffer?: Partial<Limits>;
}

export interface Events {
  state: StateEvent;
  gap: Gap;
  lost: Lost;
  unsubscribed: { topic: string; reason: string; error?: TroupeError };
  draining: { reconnectAfterMs: number };
  /** What nobody waits for: errors of the server without an id, of the token function, of handlers. */
  error: unknown;
}

export interface Welcome {
  readonly connectionId: string;
  readonly user: string;
  readonly resumed: boolean;
}

export interface PublishOptions {
  /** Of one's own, unique a user and topic for five minutes; false: none, and then a publication is not repeated. */
  readonly idempotencyKey?: string | false;
  readonly excludeSelf?: boolean;
  readonly priority?: string;
  readonly timeoutMs?: number;
}

export interface PublishAck extends Position {
  readonly deliveredTo: number;
  readonly queued: number;
  /** Where a rule of the operator sent it instead; the position is one of that topic. */
  readonly topic?: string;
}

export interface DirectAck {
  readonly messageId: string;
  readonly connections: readonly string[];
  readonly queued: number;
}

export interface Info {
  readonly connectionId: string;
  readonly user: string;
  readonly subscriptions: number;
  readonly queue: number;
  readonly rttMs?: number;
}

/** A timer bears 31 bits, and takes what is more for nothing; so `Infinity`, which means without a limit, is 24 days. */
const timerMs = (ms: number): number => Math.min(ms, 2 ** 31 - 1);

const keyMemoryMs = 4 * 60_000; // the server knows a key for five minutes: no repeat comes later than this

export class Client extends Emitter<Events> {
  readonly #link: Link;
  readonly #requests: Requests;
  readonly #subscriptions: Subscriptions;
  readonly #inbox: Inbox;
  readonly #refresh: Refresh;
  readonly #backoff: Backoff;
  readonly #timeoutMs: number;
  readonly #keys = Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(36)).join('');
  #published = 0;
  #welcome: Welcome | undefined;
  #aheadMs = 0; // how far the server's clock is before ours
  #next: Settling<Welcome> | undefined; // the welcome of this connection or, without one, of the next

  constructor(url: string | URL, options: ClientOptions = {}) {
    super();
    const socketClass = options.WebSocket ?? (globalThis as { WebSocket?: WebSocketConstructor }).WebSocket;
    if (!socketClass) throw new TypeError('this platform has no WebSocket: give the option `WebSocket`, for example that of npm `ws`');
    const backoff = this.#backoff = { baseMs: 500, maxMs: 30_000, ...options.backoff };
    this.#timeoutMs = timerMs(options.timeoutMs ?? 10_000);
    this.#link = new Link(absolute(url), {
      token: options.token, WebSocket: socketClass, backoff,
      connectTimeoutMs: timerMs(options.connectTimeoutMs ?? 10_000),
      pingIntervalMs: options.pingIntervalMs === undefined ? undefined : timerMs(options.pingIntervalMs),
      pongTimeoutMs: timerMs(options.pongTimeoutMs ?? 10_000),
    }, {
      state: (event) => this.#changed(event),
      welcome: (frame) => this.#welcomed(frame),
      frame: (frame) => this.#take(frame),
      lost: () => this.#lost(),
      error: (error) => void this.emit('error', error),
    });
    const link = this.#link;
    this.#requests = new Requests({ send: (wire) => link.send(wire), get backlog() { return link.backlog; } },
      { count: 1000, bytes: 4 * 1024 * 1024, ...options.buffer });
    this.#subscriptions = new Subscriptions({
      askNow: (frame, answer) => this.#ask(frame, 'never', answer ? { answer } : {}),
      isOnline: () => link.state === 'online',
      guard: (run) => this.guard(run),
      told: (name, event) => void this.emit(name, event as never),
    }, backoff);
    this.#refresh = new Refresh(() => this.#renewToken(), (error) => void this.emit('error', error), backoff);
    this.#inbox = new Inbox(
      ({ epoch, offset }) => link.send(JSON.stringify({ type: 'received', epoch, offset })), (error) => this.report(error));
  }

  get state(): State { return this.#link.state; }
  /** Who one is, once welcomed. */
  get welcome(): Welcome | undefined { return this.#welcome; }

  /** Connects, and from then on keeps connected until `close`. Resolves with the welcome; where it is online, with that
   * of this connection. Between two tries it ends the wait: a button that says "connect now" calls this. */
  connect(): Promise<Welcome> {
    if (this.#link.state === 'closed') return Promise.reject(new TroupeError('closed', 'this client is closed'));
    const next = this.#next ??= settling();
    this.#link.start();
    return next.promise;
  }

  /** Ends it for good. Whoever still waits gets the error `closed`. */
  close(): void { this.#link.stop(); }

  /** Wants a topic or pattern from now on. May be called at any time; several calls for one topic share what comes. */
  subscribe<Payload = unknown>(topic: string, handlers: Handlers<Payload> | ((message: Message<Payload>) => void),
                               options: SubscribeOptions = {}): Subscription {
    this.#refuseClosed();
    const all = typeof handlers === 'function' ? { message: handlers } : handlers;
    return this.#subscriptions.add(topic, all as Handlers, options);
  }

  /** Publishes JSON or, given an ArrayBuffer or a view, bytes. A key makes sure that a repeat is not a second one. */
  async publish(topic: string, payload: unknown, options: PublishOptions = {}): Promise<PublishAck> {
    this.#refuseClosed();
    const key = options.idempotencyKey ?? `${this.#keys}-${++this.#published}`;
    const head = {
      type: 'publish', topic,
      ...(key === false ? {} : { idempotency_key: key }),
      ...(options.excludeSelf ? { exclude_self: true } : {}),
      ...(options.priority === undefined ? {} : { priority: options.priority }),
    };
    const timeoutMs = Math.min(options.timeoutMs ?? this.#timeoutMs, keyMemoryMs);
    const settle = options.excludeSelf ? this.#subscriptions.excluding(topic) : undefined;
    const answer = (frame: Frame): void => settle?.(frame as Frame & PublishAck);
    try {
      const frame = await this.#ask(head, key === false ? 'unsent' : 'always', { payload, timeoutMs, answer });
      const { epoch, offset, delivered_to: deliveredTo, queued, topic: sentTo } = frame;
      return { epoch, offset, deliveredTo, queued, ...(sentTo === undefined ? {} : { topic: sentTo }) } as PublishAck;
    } catch (error) {
      settle?.();
      throw error;
    }
  }

  /** Sends to a user's inbox. When the connection is lost before the answer, it fails with `disconnected`. */
  async direct(user: string, payload: unknown): Promise<DirectAck> {
    this.#refuseClosed();
    const { message_id, connections, queued } = await this.#ask({ type: 'direct', user }, 'unsent', { payload });
    return { messageId: message_id, connections, queued } as DirectAck;
  }

  /** Handles one's own direct messages, each once, in order. What it has done is told to the server when it is done. A
   * second handler takes the place of the first, whose end is then nothing. */
  inbox(handler: DirectHandler): () => void { return this.#inbox.handle(handler); }

  /** What the topic has kept; items come as they are read. */
  history<Payload = unknown>(topic: string, { limit = 100, ...range }: HistoryOptions = {}): History<Payload> {
    return new History<Payload>((item) => {
      this.#refuseClosed();
      const id = this.#requests.nextId;
      const end = this.#ask({ type: 'history', topic, limit, ...range }, 'unsent', { item });
      return { end, cancel: () => void this.#link.send(JSON.stringify({ type: 'cancel', target: id })) };
    });
  }

  /** One page of who is there. */
  async presence(topic: string, options: { limit?: number; after?: string } = {}): Promise<PresencePage> {
    this.#refuseClosed();
    const { count, users, next } = await this.#ask({ type: 'presence', topic, ...options }, 'always');
    return { count, users, ...(next === undefined || next === null ? {} : { next }) } as PresencePage;
  }

  /** Keeps the set of who is there, and tells what changes in it. Subscribes to the topic. */
  members(topic: string, changed: (change: MembersChange) => void = () => {}):
      { readonly users: ReadonlySet<string>; readonly ready: Promise<void>; close(): void } {
    const members = new Members((after) => this.presence(topic, after === undefined ? {} : { after }),
      (change) => this.guard(() => changed(change)), this.#backoff);
    const loaded = settling<void>();
    const end = (error: unknown): void => {
      stopListening();
      members.close();
      loaded.reject(error);
    };
    const subscription = this.subscribe(topic, {
      presence: (change) => members.change(change),
      subscribed: () => {
        members.load().then((whole) => { if (whole) loaded.resolve(); }, (error: unknown) => {
          if ((error as TroupeError).code === 'disconnected') return; // the next connection loads anew
          loaded.reject(error);
          this.emit('error', error);
        });
      },
      unsubscribed: ({ error }) => end(error),
    }, { presence: true });
    const stopListening = this.on('state', (event) => { if (event.state === 'closed') end(whyClosed(event)); });
    const close = (): void => {
      subscription.unsubscribe();
      end(new TroupeError('closed', 'these members are no longer kept'));
    };
    return { get users() { return members.users; }, ready: loaded.promise, close };
  }

  async info(): Promise<Info> {
    this.#refuseClosed();
    const { connection_id, user, subscriptions, queue, rtt_ms } = await this.#ask({ type: 'info' }, 'always');
    return { connectionId: connection_id, user, subscriptions, queue, ...(rtt_ms === undefined ? {} : { rttMs: rtt_ms }) } as Info;
  }

  #refuseClosed(): void {
    if (this.#link.state === 'closed') throw new TroupeError('closed', 'this client is closed');
  }

  #ask(head: object, repeat: Ask['repeat'], more: Partial<Ask> & { payload?: unknown } = {}): Promise<Frame> {
    const encode = (id: string) => 'payload' in more ? encodeWithPayload({ id, ...head }, more.payload) : JSON.stringify({ id, ...head });
    return this.#requests.ask({ timeoutMs: this.#timeoutMs, ...more, encode, repeat });
  }

  #changed(event: StateEvent): void {
    if (event.state === 'closed') {
      const error = whyClosed(event);
      this.#requests.close(error);
      this.#subscriptions.close(error);
      this.#next?.reject(error);
    }
    this.emit('state', event);
  }

  #welcomed(frame: Frame): void {
    const welcome = { connectionId: frame['connection_id'], user: frame['user'], resumed: frame['resumed'] === true } as Welcome;
    // Keys are kept by user: as another one, a repeat would be a second publication.
    if (this.#welcome && this.#welcome.user !== welcome.user) this.#requests.failStarted('the connection came back as another user');
    this.#welcome = welcome;
    this.#aheadMs = Number(frame['server_time'] ?? Date.now()) - Date.now();
    this.#inbox.opened();
    this.#subscriptions.opened(welcome.resumed);
    this.#requests.opened((frame['limits'] as { frame_bytes?: number } | undefined)?.frame_bytes ?? Infinity);
    (this.#next ??= settling()).resolve(welcome);
  }

  #lost(): void {
    this.#next = undefined;
    this.#refresh.end();
    this.#subscriptions.lost();
    this.#requests.lost();
  }

  readonly #frames: Record<string, (frame: Frame) => void> = {
    message: (frame) => this.#subscriptions.message(frame),
    gap: (frame) => this.#subscriptions.gap(frame),
    presence_changed: (frame) => this.#subscriptions.presence(frame),
    unsubscribed: (frame) => this.#subscriptions.unsubscribed(frame),
    restarted: (frame) => {
      const topics = frame['topics'] as Array<{ topic: string }>;
      if (topics.some(({ topic }) => topic === `$user.${this.#welcome?.user}`)) this.#inbox.restarted();
      this.#subscriptions.restarted(frame);
    },
    direct: ({ from, payload, message_id, epoch, offset, sent_at }) =>
      this.#inbox.take({ from, payload, messageId: message_id, epoch, offset, sentAt: sent_at } as Parameters<DirectHandler>[0]),
    token_expiring: (frame) => this.#refresh.begin(Number(frame['expires_at'] ?? 0) - this.#aheadMs),
    draining: (frame) => {
      const reconnectAfterMs = Number(frame['reconnect_after_ms'] ?? 0);
      this.#link.drain(reconnectAfterMs);
      this.emit('draining', { reconnectAfterMs });
    },
    error: (frame) => { // one with an id was for a request that has given up
      if (frame.id === undefined) this.emit('error', errorOf(frame));
    },
  };

  #take(frame: Frame): void {
    if (!this.#requests.take(frame)) this.#frames[frame.type]?.(frame);
  }

  async #renewToken(): Promise<boolean> {
    const token = await this.#link.freshToken();
    if (token === undefined) return true; // the link has stopped, or is another one
    if (token === this.#link.token) return false;
    await this.#ask({ type: 'authenticate', token }, 'never');
    this.#link.token = token;
    return true;
  }
}

interface Settling<Value> {
  readonly promise: Promise<Value>;
  readonly resolve: (value: Value) => void;
  readonly reject: (error: unknown) => void;
}

/** A promise that is settled from outside. Nobody has to look at its failure, for events tell it as well. */
function settling<Value>(): Settling<Value> {
  let settle!: Pick<Settling<Value>, 'resolve' | 'reject'>;
  const promise = new Promise<Value>((resolve, reject) => { settle = { resolve, reject }; });
  promise.catch(() => {});
  return { promise, ...settle };
}

const whyClosed = ({ error }: StateEvent): TroupeError => error ?? new TroupeError('closed', 'this client was closed');

/** In a browser a path is enough, and http becomes ws. */
function absolute(url: string | URL): string {
  const whole = new URL(url, (globalThis as { location?: { href: string } }).location?.href);
  return whole.href.replace(/^http/, 'ws');
}
