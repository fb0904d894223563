// A native-protocol client on npm `ws`: messages are kept in the order they came, and a
// test takes the ones it waits for.
import WebSocket from 'ws';
import assert from 'node:assert/strict';

export class Client {
  constructor(socket) {
    this.socket = socket;
    this.inbox = [];
    this.waiters = [];
    this.ids = 0;
    this.closed = new Promise((done) => socket.on('close', (code, reason) => done({ code, reason: `${reason}` })));
    socket.on('message', (data, binary) => this.take(binary ? { type: 'binary', data } : JSON.parse(data)));
    socket.on('error', () => {});
  }

  /// Opens a connection and waits for `welcome`. With `token`, it goes into the Authorization header.
  static async open(url, { token, protocols = [], welcome = true } = {}) {
    const headers = token ? { Authorization: `Bearer ${token}` } : {};
    const client = new Client(new WebSocket(url, protocols, { headers }));
    await new Promise((done, fail) => {
      client.socket.on('open', done);
      client.socket.on('error', fail);
    });
    if (welcome) client.welcome = await client.next('welcome');
    return client;
  }

  take(message) {
    const at = this.waiters.findIndex((waiter) => waiter.matches(message));
    if (at < 0) return void this.inbox.push(message);
    const [waiter] = this.waiters.splice(at, 1);
    clearTimeout(waiter.timer);
    waiter.done(message);
  }

  send(message) { this.socket.send(typeof message === 'string' ? message : JSON.stringify(message)); }

  /// The first message, kept or coming, of this type (or for which this function is true).
  next(wanted, within = 10_000) {
    const matches = typeof wanted === 'string' ? (message) => message.type === wanted : wanted;
    const at = this.inbox.findIndex(matches);
    if (at >= 0) return Promise.resolve(this.inbox.splice(at, 1)[0]);
    return new Promise((done, fail) => {
      const timer = setTimeout(() => fail(new Error(`no ${wanted} came; kept: ${JSON.stringify(this.inbox)}`)), within);
      this.waiters.push({ matches, done, timer });
    });
  }

  /// Sends a frame with an id of its own and gives its one terminal answer.
  ask(frame) {
    const id = `q${++this.ids}`;
    this.send({ ...frame, id });
    return this.next((message) => message.id === id && message.type !== 'history_item');
  }

  async subscribe(...topics) {
    const answer = await this.ask({ type: 'subscribe', topics });
    assert.equal(answer.type, 'subscription_confirmed', JSON.stringify(answer));
    return answer;
  }

  /// All that comes until the answer of a ping sent now: after it, nothing sent earlier is still on its way.
  async quiet() {
    await this.ask({ type: 'ping' });
    return this.inbox;
  }

  async close() {
    this.socket.close(1000);
    return this.closed;
  }
}

/// The status by which an upgrade is refused.
export function refusal(url, { headers = {}, protocols = [] } = {}) {
  return new Promise((done, fail) => {
    const socket = new WebSocket(url, protocols, { headers });
    socket.on('unexpected-response', (request, response) => {
      request.destroy();
      done(response);
    });
    socket.on('open', () => { socket.terminate(); fail(new Error('the upgrade was not refused')); });
    socket.on('error', fail);
  });
}
