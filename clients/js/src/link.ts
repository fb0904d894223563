// Link: one connection after the other to the same address, with the waits between them.
//
// It owns the socket, the token that opens it, the heartbeat and the session. A socket that was given up says nothing
// any more: each one is listened to only while it is the current one.

import { backoffMs, type Backoff } from './backoff.js';
import { TroupeError } from './error.js';
import { decode, type Frame, type Wire } from './frame.js';

/** `waiting`: between two tries. `closed`: it will not try again. */
export type State = 'idle' | 'connecting' | 'online' | 'waiting' | 'closed';

export interface StateEvent {
  readonly state: State;
  /** Why the last connection ended, where one did. */
  readonly code?: number;
  readonly reason?: string;
  /** With `waiting`: when the next try is. */
  readonly retryInMs?: number;
  /** With `closed`: what ended it, unless `close()` did. */
  readonly error?: TroupeError;
}

/** What the client needs of a WebSocket: that of a browser, of Node 22, or of npm `ws`. */
export interface WebSocketLike {
  binaryType: string;
  readonly bufferedAmount: number;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  send(data: Wire): void;
  close(code?: number, reason?: string): void;
  terminate?(): void;
}
export type WebSocketConstructor = new (url: string, protocols: string[]) => WebSocketLike;

/** Gives a token for the next connection. `fresh`: the last one was refused or is about to expire. Null: there is
 * none any more, and the client closes. */
export type TokenSource = string | ((why: { fresh: boolean }) => string | null | Promise<string | null>);

export interface LinkOptions {
  readonly token: TokenSource | undefined;
  readonly WebSocket: WebSocketConstructor;
  readonly backoff: Backoff;
  readonly connectTimeoutMs: number;
  readonly pingIntervalMs: number | undefined;
  readonly pongTimeoutMs: number;
}

export interface LinkEvents {
  state(event: StateEvent): void;
  /** The first frame of a connection. The state is `online`, and is told after this: what waits goes before what listeners send. */
  welcome(frame: Frame): void;
  frame(frame: Frame): void;
  /** An online connection has ended; another may follow. */
  lost(): void;
  error(error: unknown): void;
}

const stableMs = 10_000; // a connection that lasted so long was none of a row of failures
const replaced = 4004;
const refusedToken = 4001;
const noToken = 1008;
const isRefusal = /response: 401$/; // in the words of npm `ws`: "Unexpected server response: 401"
const givenUp = 4000; // with 1000, or without a code, the server would take it for the end of the session

/** Whether it may stand in a subprotocol (RFC 9110, 5.6.2). */
const isSendable = (token: string): boolean => /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(token);

/** The page of a browser, which says when there is a network again; elsewhere nothing. */
const page = globalThis as { addEventListener?: (name: string, told: () => void) => void; removeEventListener?: (name: string, told: () => void) => void };

export class Link {
  readonly #url: string;
  readonly #options: LinkOptions;
  readonly #events: LinkEvents;
  #state: State = 'idle';
  #socket: WebSocketLike | undefined;
  #turn = 0; // counts tries, so that a token that comes too late opens nothing
  #attempt = 0;
  #session: string | undefined; // undefined before the first welcome; empty: it is not gone on with
  #strayed = false; // a try with this session was given up, and may yet reach the server and take the session over
  /** What the connection was opened with, or was shown to the server since. */
  token: string | undefined;
  #refused: string | undefined; // the token that the server did not take, or that cannot be shown to it
  #fresh = false;
  #onlineSince = 0;
  #drainMs: number | undefined;
  #heardAt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;  // the connect limit, or the wait for the next try
  #pulse: ReturnType<typeof setTimeout> | undefined;
  #hasTold = false; // why there is no connection, before the first one
  readonly #networkCame = (): void => { if (this.#state === 'waiting') this.start(); };

  constructor(url: string, options: LinkOptions, events: LinkEvents) {
    this.#url = url;
    this.#options = options;
    this.#events = events;
  }

  get state(): State { return this.#state; }
  get backlog(): number { return this.#socket?.bufferedAmount ?? 0; }

  /** Connects, now also where the next try is to come later. */
  start(): void {
    if (this.#state === 'idle') page.addEventListener?.('online', this.#networkCame);
    if (this.#state !== 'idle' && this.#state !== 'waiting') return;
    clearTimeout(this.#timer);
    void this.#connect();
  }

  send(wire: Wire): boolean {
    if (this.#state !== 'online') return false;
    this.#socket?.send(wire);
    return true;
  }

  /** For good. */
  stop(error?: TroupeError): void {
    if (this.#state === 'closed') return;
    const wasOnline = this.#state === 'online';
    this.#forget(1000);
    this.#leave(wasOnline, { state: 'closed', ...(error ? { error } : {}) });
  }

  /** The server asked to come back after this time once it has closed. */
  drain(reconnectAfterMs: number): void { this.#drainMs = reconnectAfterMs; }

  /** A token in place of the one that expires; undefined where there is none, and then the link has stopped. */
  async freshToken(): Promise<string | undefined> {
    const turn = this.#turn;
    const token = await this.#askToken(true);
    if (turn !== this.#turn) return undefined;
    if (token === null) this.stop(new TroupeError('unauthorized', 'there is no token any more'));
    return token ?? undefined;
  }

  async #askToken(fresh: boolean): Promise<string | null | undefined> {
    const { token } = this.#options;
    return typeof token === 'function' ? await token({ fresh }) : token;
  }

  async #connect(): Promise<void> {
    const turn = ++this.#turn;
    this.#enter({ state: 'connecting' });
    if (turn !== this.#turn) return; // a listener has closed it
    this.#timer = setTimeout(() => this.#drop(1006, `not connected within ${this.#options.connectTimeoutMs} ms`), this.#options.connectTimeoutMs);
    try {
      const token = await this.#askToken(this.#fresh);
      if (turn !== this.#turn) return;
      if (token === null) return this.stop(new TroupeError('unauthorized', 'there is no token any more'));
      if (token !== undefined && !isSendable(token)) return this.#cannotSend(token);
      if (token !== undefined && token === this.#refused) return this.stop(new TroupeError('unauthorized', 'the token was refused, and there is no other'));
      this.token = token;
    } catch (error) {
      return this.#fail(turn, error, 'no token could be got');
    }
    try {
      this.#open(this.token);
    } catch (error) {
      this.#fail(turn, error, `no socket could be made: ${(error as Error).message}`);
    }
  }

  #fail(turn: number, error: unknown, reason: string): void {
    if (turn !== this.#turn) return;
    this.#hasTold = true;
    this.#events.error(error);
    if (turn === this.#turn) this.#drop(1006, reason);
  }

  /** A function is asked once more; where that gives the same, there is no other. */
  #cannotSend(token: string): void {
    const error = new TroupeError('unauthorized',
      token === '' ? 'the token is empty' : 'the token has a character that no token may have: perhaps a space, or the end of a line');
    if (typeof this.#options.token === 'string' || token === this.#refused) return this.stop(error);
    this.#refused = token;
    this.#fail(this.#turn, error, error.message);
  }

  #open(token: string | undefined): void {
    const url = new URL(this.#url);
    if (this.#session) url.searchParams.set('session', this.#session);
    const protocols = ['troupe.v1', ...(token === undefined ? [] : [`bearer.${token}`])];
    const socket = this.#socket = new this.#options.WebSocket(url.href, protocols);
    socket.binaryType = 'arraybuffer';
    let failure = ''; // npm `ws` tells here, and nowhere else, how a handshake was answered; browsers tell nobody
    socket.onerror = ({ message }: { message?: unknown }) => {
      failure = typeof message === 'string' ? message : '';
      if (this.#state === 'online') return;
      setTimeout(() => { if (socket === this.#socket) this.#drop(1006, failure); }, 0); // in Node 22 no close follows a failed handshake
    };
    socket.onmessage = ({ data }: { data: unknown }) => this.#hear(decode(data));
    socket.onclose = ({ code, reason }: { code: number; reason: string }) => this.#drop(code, `${reason}` || failure);
  }

  #hear(frame: Frame | undefined): void {
    if (!frame) return this.#events.error(new TroupeError('bad_request', 'the server sent what is no frame'));
    this.#heardAt = Date.now();
    if (this.#state === 'online') return this.#events.frame(frame);
    if (frame.type !== 'welcome') return;
    clearTimeout(this.#timer);
    const session = frame['session'] as string | undefined;
    if (session !== this.#session) this.#strayed = false;
    this.#session = session;
    this.#fresh = false;
    this.#refused = undefined;
    this.#onlineSince = Date.now();
    const turn = this.#turn;
    this.#state = 'online';
    this.#beat(this.#options.pingIntervalMs ?? Number(frame['heartbeat_interval_ms'] ?? 25_000));
    this.#events.welcome(frame);
    if (turn === this.#turn) this.#enter({ state: 'online' });
  }

  /** Half-open sockets say nothing for ever: after an interval of silence we ask, and then wait a little. */
  #beat(intervalMs: number): void {
    this.#heardAt = Math.min(this.#heardAt, Date.now()); // later than now it is where the clock was set back
    const silence = Date.now() - this.#heardAt;
    if (silence < intervalMs) {
      this.#pulse = setTimeout(() => this.#beat(intervalMs), intervalMs - silence);
      return;
    }
    const asked = this.#heardAt;
    this.send('{"type":"ping"}');
    this.#pulse = setTimeout(() => {
      if (this.#heardAt === asked) this.#drop(4002, 'the server does not answer');
      else this.#beat(intervalMs);
    }, this.#options.pongTimeoutMs);
  }

  /** The socket has ended, or is given up; the next try comes after a wait. */
  #drop(code: number, reason: string): void {
    const wasOnline = this.#state === 'online';
    if (!wasOnline && this.#socket && this.#session) this.#strayed = true;
    this.#forget();
    // A refused handshake looks like a lost one: the token may be the reason.
    this.#fresh = !wasOnline || code === refusedToken || code === noToken;
    const unauthorized = !wasOnline && (code === noToken || isRefusal.test(reason));
    if (code === refusedToken || unauthorized) this.#refused = this.token;
    if (unauthorized && this.#options.token === undefined) {
      return this.#leave(false, { state: 'closed', code, reason, error: new TroupeError('unauthorized', 'the server wants a token') });
    }
    if (code === replaced && this.#strayed) {
      this.#session = ''; // leave it to the stray one, which would take it over from us as often as there are others
    } else if (code === replaced) {
      const error = new TroupeError('closed', 'another connection has taken over this session');
      return this.#leave(wasOnline, { state: 'closed', code, reason, error });
    }
    if (wasOnline && Date.now() - this.#onlineSince >= stableMs) this.#attempt = 0;
    const retryInMs = this.#drainMs ?? backoffMs(this.#attempt++, this.#options.backoff);
    this.#drainMs = undefined;
    this.#timer = setTimeout(() => void this.#connect(), retryInMs);
    const tells = this.#session === undefined && !this.#hasTold;
    if (tells) this.#hasTold = true;
    const turn = this.#turn;
    this.#leave(wasOnline, { state: 'waiting', code, reason, retryInMs });
    if (tells && turn === this.#turn) this.#events.error(new TroupeError('disconnected', `no connection yet, another try follows: ${reason || code}`));
  }

  #leave(wasOnline: boolean, event: StateEvent): void {
    this.#state = event.state;
    if (event.state === 'closed') page.removeEventListener?.('online', this.#networkCame);
    if (wasOnline) this.#events.lost();
    this.#enter(event);
  }

  #forget(code?: number): void {
    ++this.#turn;
    clearTimeout(this.#timer);
    clearTimeout(this.#pulse);
    const socket = this.#socket;
    this.#socket = undefined;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    if (code === undefined && socket.terminate) socket.terminate(); // nobody is there to shake hands with
    else socket.close(code ?? givenUp);
  }

  #enter(event: StateEvent): void {
    this.#state = event.state;
    this.#events.state(event);
  }
}
