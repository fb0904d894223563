// Server-sent events: read with fetch, through a network that cuts, and by a browser's own EventSource.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { generous, serve, within } from './lib/server.js';
import { Client } from './lib/websocket.js';
import { CuttingProxy } from './lib/cutting_proxy.js';
import { EventStream } from './lib/event_stream.js';
import { browser } from './lib/chromium.js';
import { machineToken, post } from './lib/oauth.js';

// A page of another origin that may connect.
const page = createServer((request, response) => response.end('<!doctype html><title>reader</title>'));
await new Promise((done) => page.listen(0, '127.0.0.1', done));
after(() => page.close());
const origin = `http://127.0.0.1:${page.address().port}`;

const config = `${generous}[realtime]\nallowed_origins = ["${origin}"]\n`;
const server = await serve({ config });
const scope = 'topic:>:subscribe topic:>:publish';
let client;
let writer;
const newToken = (wanted = scope) => machineToken(server, client, wanted);
before(async () => {
  client = await server.addClient('--name', 'events', '--grant', 'client_credentials', '--scope', scope);
  writer = await Client.open(server.ws(), { token: await newToken() });
});
const url = (query, base = server.url) => `${base}/events?${query}`;
const publish = (topic, payload) => writer.ask({ type: 'publish', topic, payload });

test('a stream tells its messages, binary ones as base64', async () => {
  const stream = await EventStream.open(url('topic=e.one&topic=e.*'), { token: await newToken() });
  assert.equal(stream.response.status, 200);
  assert.match(stream.response.headers.get('content-type'), /^text\/event-stream/);
  assert.ok((await stream.next('welcome')).data.connection_id);
  await stream.next('subscription_confirmed');
  await publish('e.one', { text: 'grüße' });
  assert.deepEqual((await stream.next('message')).data.payload, { text: 'grüße' });
  writer.socket.send(Buffer.concat([Buffer.from('{"type":"publish","topic":"e.one"}\n'), Buffer.from([0, 10, 255])]));
  assert.equal((await stream.next('message')).data.payload_base64, 'AAr/');
  stream.close();
});

test('however often the stream is cut, every message of every topic comes once and in order', async () => {
  const proxy = await CuttingProxy.before(server.port);
  const base = `http://127.0.0.1:${proxy.server.address().port}`;
  const token = await newToken();
  const topics = ['cut.a', 'cut.b', 'cut.c'];
  const query = topics.map((topic) => `topic=${topic}`).join('&');
  const first = await EventStream.open(url(query), { token });
  await first.next('subscription_confirmed');
  let { lastId } = first;
  first.close();
  const total = 300;
  const seen = Object.fromEntries(topics.map((topic) => [topic, []]));
  const count = () => Object.values(seen).reduce((sum, list) => sum + list.length, 0);
  const writing = (async () => {
    for (let n = 0; n < total; ++n) await publish(topics[n % 3], n);
  })();
  for (let round = 0; count() < total; ++round) {
    assert.ok(round < 400, `still ${count()} of ${total}`);
    const stream = await EventStream.open(url(query, base), { token, lastId }).catch(() => undefined);
    if (!stream) continue;
    const timer = setTimeout(() => proxy.cut(), 5 + (round * 7) % 40);
    if (count() > total - 3) clearTimeout(timer);
    await within(1500, stream.ended);
    clearTimeout(timer);
    stream.close();
    for (const { type, data, id } of stream.events) {
      if (type === 'subscription_confirmed') for (const topic of data.topics) assert.equal(topic.recovered, true, JSON.stringify(topic));
      if (id) lastId = id;
      assert.notEqual(type, 'gap');
      if (type === 'message') seen[data.topic].push(data.payload);
    }
  }
  await writing;
  topics.forEach((topic, at) => assert.deepEqual(seen[topic], Array.from({ length: total / 3 }, (_, n) => n * 3 + at)));
  assert.ok(proxy.cuts > 3, `${proxy.cuts} cuts`);
});

test('who may not read a topic, or shows no good token, or is a page that nobody knows, gets no stream', async () => {
  const weak = await newToken('topic:>:publish');
  const status = async (query, options) => (await EventStream.open(url(query), options)).response.status;
  assert.equal(await status('topic=a', { token: weak }), 403);
  assert.equal(await status('topic=a', {}), 401);
  assert.equal(await status('topic=a', { token: 'garbage' }), 401);
  assert.equal(await status('', { token: await newToken() }), 400);
  assert.equal(await status('topic=a', { token: await newToken(), headers: { Origin: 'https://evil.example' } }), 403);
  assert.equal(await status(`topic=a&access_token=${await newToken()}`, {}), 200);
});

test('revoking the token ends the stream at once, with the reason', async () => {
  const token = await newToken();
  const stream = await EventStream.open(url('topic=r'), { token });
  await stream.next('subscription_confirmed');
  await post(`${server.url}/oauth/revoke`, { token }, { client });
  const { data } = await stream.next('closed');
  assert.equal(data.code, 4001);
  await within(10_000, stream.ended);
  assert.equal((await EventStream.open(url('topic=r'), { token, lastId: stream.lastId })).response.status, 401);
});

test('a revoked token ends two hundred sockets and streams in no time to speak of', async (t) => {
  const token = await newToken();
  const sockets = await Promise.all(Array.from({ length: 150 }, () => Client.open(server.ws(), { token })));
  const streams = await Promise.all(Array.from({ length: 50 }, () => EventStream.open(url('topic=r'), { token })));
  for (const stream of streams) await stream.next('subscription_confirmed');
  const asked = performance.now();
  const ends = sockets.map(async (socket) => [(await socket.closed).code, performance.now() - asked]);
  ends.push(...streams.map(async (stream) => [(await stream.next('closed')).data.code, performance.now() - asked]));
  await post(`${server.url}/oauth/revoke`, { token }, { client });
  const answered = performance.now() - asked;
  const all = await Promise.all(ends);
  assert.ok(all.every(([code]) => code === 4001), JSON.stringify(all.map(([code]) => code)));
  const times = all.map(([, ms]) => ms).sort((a, b) => a - b);
  t.diagnostic(`revoked after ${answered.toFixed(1)} ms; the first of 200 ended after ${times[0].toFixed(1)} ms, the last after ${times.at(-1).toFixed(1)}`);
  assert.ok(times.at(-1) < 10_000, `${times.at(-1)} ms`);
  for (const stream of streams) stream.close();
});

test('SIGTERM tells a stream to come back, and ends it', async () => {
  const own = await serve();
  const app = await own.addClient('--name', 'drain', '--grant', 'client_credentials', '--scope', scope);
  const stream = await EventStream.open(`${own.url}/events?topic=d`, { token: await machineToken(own, app, scope) });
  await stream.next('subscription_confirmed');
  const stopped = own.stop();
  const draining = await stream.next('draining', 15_000);
  assert.equal(draining.retry, draining.data.reconnect_after_ms);
  assert.equal((await stream.next('closed')).data.code, 1001);
  await within(10_000, stream.ended);
  await stopped;
});

test("a browser's own EventSource of another origin reads the stream, and goes on by itself after a cut", async () => {
  const proxy = await CuttingProxy.before(server.port);
  const person = await (await browser()).newPerson();
  await person.goto(origin);
  await person.evaluate((at) => {
    window.seen = [];
    window.opened = 0;
    const source = new EventSource(at);
    source.addEventListener('subscription_confirmed', () => { ++window.opened; });
    source.addEventListener('message', (event) => window.seen.push(JSON.parse(event.data).payload));
  }, url(`topic=b&access_token=${await newToken()}`, `http://127.0.0.1:${proxy.server.address().port}`));
  await person.waitForFunction(() => window.opened === 1);
  await publish('b', 1);
  await person.waitForFunction(() => window.seen.length === 1);
  proxy.cut();
  await publish('b', 2);
  await person.waitForFunction(() => window.opened === 2, null, { timeout: 20_000 });
  await publish('b', 3);
  await person.waitForFunction(() => window.seen.length === 3);
  assert.deepEqual(await person.evaluate(() => window.seen), [1, 2, 3]);
});
