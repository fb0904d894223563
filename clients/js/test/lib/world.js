// A world for one client: a WebSocket class whose server is the test itself, and time that stands still until the
// test moves it. Full jitter is the whole of its bound here, so that waits are known.
import { mock } from 'node:test';
import { Client } from '../../dist/index.js';

/// Lets everything happen that waits for no time.
export const settle = () => new Promise((done) => setImmediate(done));

/// A promise whose failure may be looked at later than in the turn in which it happens.
export const quiet = (promise) => {
  promise.catch(() => {});
  return promise;
};

class Socket {
  binaryType = '';
  bufferedAmount = 0;
  onopen = null;
  onmessage = null;
  onclose = null;
  onerror = null;
  sent = [];       // all frames, oldest first
  closedBy;        // { code } once the client has given it up

  constructor(world, url, protocols) {
    this.world = world;
    this.url = new URL(url);
    this.protocols = protocols;
    world.sockets.push(this);
  }

  send(data) {
    const text = typeof data === 'string' ? data : new TextDecoder().decode(data);
    const frame = typeof data === 'string' ? JSON.parse(text) : { ...JSON.parse(text.slice(0, text.indexOf('\n'))), binary: data };
    this.sent.push(frame);
    this.world.serve?.(frame, this);
  }
  close(code) { this.closedBy = { code }; }

  // What the server does.

  /// Frames that arrive in one turn, as they do when one read brings them all.
  say(...frames) {
    for (const frame of frames) this.onmessage?.({ data: frame instanceof ArrayBuffer || typeof frame === 'string' ? frame : JSON.stringify(frame) });
    return settle();
  }
  welcome(more = {}) {
    return this.say({ type: 'welcome', connection_id: 'c1', user: 'u', session: `s${this.world.sockets.length}`, resumed: false,
                      heartbeat_interval_ms: 25_000, limits: { frame_bytes: 1000 }, ...more });
  }
  /// The socket has ended.
  async end(code = 1006, reason = '') {
    this.onclose?.({ code, reason });
    await settle();
  }
  /// There will be no connection, as Node 22 tells it: nothing follows.
  fail(message) {
    this.onerror?.({ message });
    return settle();
  }
  /// The handshake is refused, as npm `ws` tells it.
  refuse(status) {
    this.onerror?.({ message: `Unexpected server response: ${status}` });
    return this.end();
  }
  frames(type) { return this.sent.filter((frame) => frame.type === type); }
  last(type) { return this.frames(type).at(-1); }
  /// Answers the last frame of this type.
  async answer(type, answer) { await this.say({ id: this.last(type).id, ...answer }); }
  /// Confirms all topics of the last `subscribe` at these positions: { topic: offset or entry }.
  confirm(entries, epoch = 'e') {
    const topics = Object.entries(entries).map(([topic, at]) => ({ topic, ...(typeof at === 'number' ? { epoch, offset: at, recovered: false } : at) }));
    return this.answer('subscribe', { type: 'subscription_confirmed', topics, active_subscriptions: topics.length });
  }
}

export class World {
  sockets = [];
  told = [];

  constructor(t, options = {}) {
    mock.timers.enable({ apis: ['setTimeout', 'Date'] });
    const random = mock.method(Math, 'random', () => 0.999999);
    const world = this;
    this.client = new Client('ws://server/ws', { WebSocket: class extends Socket { constructor(...args) { super(world, ...args); } }, ...options });
    for (const name of ['state', 'gap', 'lost', 'unsubscribed', 'draining', 'error']) {
      this.client.on(name, (event) => this.told.push([name, event]));
    }
    t.after(() => {
      this.client.close();
      mock.timers.reset();
      random.mock.restore();
    });
  }

  get socket() { return this.sockets.at(-1); }
  events(name) { return this.told.filter(([each]) => each === name).map(([, event]) => event); }
  get states() { return this.events('state').map(({ state }) => state); }

  async pass(ms) {
    await settle();
    mock.timers.tick(ms);
    await settle();
  }

  /// Connected and welcomed.
  async online(more) {
    const first = this.client.connect();
    await settle();
    await this.socket.welcome(more);
    await first;
    return this.socket;
  }

  /// The socket is lost, the wait passes, and the next one is welcomed.
  async reconnect(more, code) {
    await this.socket.end(code);
    await this.pass(60_000);
    await this.socket.welcome(more);
    return this.socket;
  }
}

export const message = (topic, offset, more = {}) => ({ type: 'message', topic, epoch: 'e', offset, payload: offset, sent_at: 1, ...more });
