// The JavaScript client of clients/js against the server: what it promises over sockets that are cut, tokens that are
// taken back and a server that is killed.
import { test, before } from 'node:test';
import assert from 'node:assert/strict';
import WebSocket from 'ws';
import { Client } from '../../clients/js/dist/index.js';
import { CuttingProxy } from './lib/cutting_proxy.js';
import { serve, sleep, until, within } from './lib/server.js';
import { machineToken, post } from './lib/oauth.js';

const server = await serve();
const everything = 'topic:>:subscribe topic:>:publish topic:$user.*:publish';
const machine = (name) => server.addClient('--name', name, '--grant', 'client_credentials', '--scope', everything);
const quick = { baseMs: 10, maxMs: 100 };
let account;
before(async () => { account = await machine('js client'); });

/// A client that is closed when the test ends, with all that it told of.
async function newClient(t, { url = server.ws(), of = account, ...options } = {}) {
  const client = new Client(url, { WebSocket, token: () => machineToken(server, of), backoff: quick, ...options });
  client.told = [];
  for (const name of ['state', 'gap', 'lost', 'unsubscribed', 'draining', 'error']) {
    client.on(name, (event) => client.told.push({ event: name, ...(event instanceof Error ? { error: event } : event) }));
  }
  t.after(() => client.close());
  await client.connect();
  return client;
}
const told = (client, event) => client.told.filter((each) => each.event === event);
const hasWaited = (client) => told(client, 'state').some(({ state }) => state === 'waiting');  // for a moment at least

let topics = 0;
const newTopic = () => `js.t${++topics}`;

test('a client connects, subscribes, publishes and reads back', async (t) => {
  const client = await newClient(t);
  const topic = newTopic();
  const seen = [];
  const subscription = client.subscribe(topic, (message) => seen.push(message));
  await subscription.ready;
  const ack = await client.publish(topic, { text: 'grüße' });
  assert.deepEqual([ack.offset, ack.deliveredTo], [1, 1]);
  assert.deepEqual(seen.map(({ topic, payload, offset, sender }) => ({ topic, payload, offset, sender })),
                   [{ topic, payload: { text: 'grüße' }, offset: 1, sender: client.welcome.user }]);
  assert.deepEqual(subscription.position, { epoch: ack.epoch, offset: 1 });
  const items = [];
  const history = client.history(topic);
  for await (const { payload } of history) items.push(payload);
  assert.deepEqual([items, history.complete], [[{ text: 'grüße' }], true]);
  assert.equal((await client.info()).subscriptions, 1);
  subscription.unsubscribe();
  assert.equal((await client.publish(topic, 2)).deliveredTo, 0);
});

test('bytes arrive as bytes: live, directly and from history', async (t) => {
  const client = await newClient(t);
  const topic = newTopic();
  const bytes = Uint8Array.from({ length: 1000 }, (_, at) => at % 256);
  const seen = [];
  await client.subscribe(topic, ({ payload }) => seen.push(payload)).ready;
  await client.publish(topic, bytes);
  client.inbox(({ payload }) => void seen.push(payload));
  await client.direct(client.welcome.user, bytes.buffer);
  for await (const { payload } of client.history(topic)) seen.push(payload);
  assert.ok(await until(() => seen.length === 3), 'three payloads');
  for (const payload of seen) assert.deepEqual(payload, bytes);
});

test('a history is left early, and the next one still comes', async (t) => {
  const client = await newClient(t);
  const topic = newTopic();
  for (let i = 0; i < 200; ++i) await client.publish(topic, 'x'.repeat(1000));
  for await (const { offset } of client.history(topic, { limit: 200 })) if (offset === 3) break;
  let count = 0;
  for await (const item of client.history(topic, { limit: 200 })) count += item.offset > 0;
  assert.equal(count, 200);
});

test('what the server refuses is an error with its code, and the client goes on', async (t) => {
  const reader = await server.addClient('--name', 'reader', '--grant', 'client_credentials', '--scope', 'topic:js.*:subscribe');
  const client = await newClient(t, { of: reader });
  const [allowed, forbidden] = [client.subscribe('js.a', () => {}), client.subscribe('secret.b', () => {})];
  await allowed.ready;  // though both were asked for in one frame, which is refused as a whole
  await assert.rejects(forbidden.ready, { code: 'forbidden' });
  assert.deepEqual(told(client, 'unsubscribed').map(({ topic, reason }) => [topic, reason]), [['secret.b', 'forbidden']]);
  await assert.rejects(client.publish('js.a', 1), { name: 'TroupeError', code: 'forbidden' });
  await assert.rejects(client.publish('js.a', 'x'.repeat(2_000_000)), { code: 'too_large' });
  assert.equal((await client.info()).subscriptions, 1);
});

for (const seed of [1, 2, 3]) {
  test(`sockets are cut at random while 1000 messages pass: each is seen once and in order, or told (seed ${seed})`, async (t) => {
    const proxy = await CuttingProxy.before(server.port);
    const random = lcg(seed);
    const token = await machineToken(server, account);  // as one user, so that keys are kept
    const [publisher, subscriber] = [await newClient(t, { url: proxy.url, token }), await newClient(t, { url: proxy.url, token })];
    const topic = newTopic();
    const log = [];
    await subscriber.subscribe(topic, {
      message: ({ offset, payload }) => log.push({ from: offset, to: offset, payload }),
      gap: ({ from, to }) => log.push({ from, to, gap: true }),
      lost: ({ before, now }) => log.push({ from: before.offset + 1, to: now.offset, gap: true }),
    }).ready;

    let publishing = true;
    const cutting = (async () => {
      while (publishing) {
        await sleep(20 + random() * 100);
        proxy.cut(0.6, random);
      }
    })();
    const acks = [];
    for (let i = 1; i <= 1000; ++i) {
      acks.push(publisher.publish(topic, i, { timeoutMs: 60_000 }));
      if (i % 25 === 0) await acks[i - 25];  // some dozens under way, as many as a cut may catch
      if (i % 5 === 0) await sleep(4);
    }
    const offsets = (await Promise.all(acks)).map(({ offset }) => offset);
    publishing = false;
    await cutting;
    assert.ok(proxy.cuts > 10, `only ${proxy.cuts} cuts`);
    assert.deepEqual(offsets, Array.from({ length: 1000 }, (_, at) => at + 1), 'each was published once, in order');

    assert.ok(await until(() => log.at(-1)?.to === 1000), `the end was not seen: ${JSON.stringify(log.slice(-3))}`);
    let next = 1;
    for (const { from, to, payload, gap } of log) {
      assert.equal(from, next, 'no double, no hole');
      if (!gap) assert.equal(payload, from);
      next = to + 1;
    }
    const gaps = log.filter((each) => each.gap);
    console.log(`${proxy.cuts} cuts, ${gaps.length} gaps of ${gaps.reduce((sum, { from, to }) => sum + to - from + 1, 0)} messages`);
  });
}

test('a half-open socket is noticed by its silence, and what was missed is recovered', async (t) => {
  const proxy = await CuttingProxy.before(server.port);
  const [client, other] = [await newClient(t, { url: proxy.url, pingIntervalMs: 500, pongTimeoutMs: 3000, connectTimeoutMs: 5000 }), await newClient(t)];
  const topic = newTopic();
  const seen = [];
  await client.subscribe(topic, ({ payload }) => seen.push(payload)).ready;
  await sleep(4000);  // longer than one that is not answered would be waited for
  assert.equal(client.state, 'online', 'pings are answered');
  proxy.silence();
  await other.publish(topic, 'unheard');
  assert.ok(await until(() => hasWaited(client), 15_000), 'the silence was not noticed');
  assert.equal(told(client, 'state').find(({ state }) => state === 'waiting').code, 4002);
  proxy.silence(false);
  assert.ok(await until(() => seen.length === 1, 15_000), 'recovered');
  assert.deepEqual([seen, told(client, 'lost')], [['unheard'], []]);
});

test('a revoked token: the client asks for a fresh one, comes back, and misses nothing', async (t) => {
  const tokens = [];
  const asked = [];
  const client = await newClient(t, { token: async ({ fresh }) => {
    asked.push(fresh);
    if (fresh) await sleep(500);  // so that something is missed
    tokens.push(await machineToken(server, account));
    return tokens.at(-1);
  } });
  const other = await newClient(t);
  const topic = newTopic();
  const seen = [];
  await client.subscribe(topic, ({ payload }) => seen.push(payload)).ready;
  await post(`${server.url}/oauth/revoke`, { token: tokens[0] }, { client: account });
  assert.ok(await until(() => client.state !== 'online'), 'closed');
  assert.equal(told(client, 'state').find(({ state }) => state === 'waiting').code, 4001);
  for (const payload of [1, 2, 3]) await other.publish(topic, payload);
  assert.ok(await until(() => seen.length === 3), 'recovered');
  assert.deepEqual([seen, asked], [[1, 2, 3], [false, true]]);
});

test('a revoked token that is the only one ends the client', async (t) => {
  const token = await machineToken(server, account);
  const client = await newClient(t, { token });
  await client.publish(newTopic(), 1);
  await post(`${server.url}/oauth/revoke`, { token }, { client: account });
  assert.ok(await until(() => client.state === 'closed'), 'closed');
  assert.equal(told(client, 'state').at(-1).error.code, 'unauthorized');
  await assert.rejects(client.publish(newTopic(), 1), { code: 'closed' });
});

test('a token that expires is replaced on the open connection', async (t) => {
  const short = await server.addClient('--name', 'short', '--grant', 'client_credentials', '--scope', everything, '--access-token-lifetime', '3s');
  const asked = [];
  const client = await newClient(t, { of: short, token: ({ fresh }) => {
    asked.push(fresh);
    return machineToken(server, short);
  } });
  await sleep(7000);
  assert.deepEqual(told(client, 'state').map(({ state }) => state), ['connecting', 'online'], 'one connection all the time');
  assert.ok(asked.length >= 3 && asked.slice(1).every((fresh) => fresh), `${asked}`);
  await client.publish(newTopic(), 'still allowed');
});

test('a direct message comes again until its handler has done its work, and is handled once', async (t) => {
  const of = await machine('reader of letters');
  const sender = await newClient(t);
  const first = await newClient(t, { of });
  const user = first.welcome.user;
  const seen = [];
  first.inbox(({ payload }) => {
    seen.push(payload);
    if (payload === 'b' && seen.length === 2) throw new Error('the disk is full');
  });
  for (const payload of ['a', 'b', 'c']) await sender.direct(user, payload);
  assert.ok(await until(() => seen.length === 3), 'handled');
  assert.equal(told(first, 'error')[0].error.message, 'the disk is full');
  first.close();

  const second = await newClient(t, { of });
  const again = [];
  second.inbox(({ payload }) => void again.push(payload));
  assert.ok(await until(() => again.length === 2), 'come again');
  assert.deepEqual([seen, again], [['a', 'b', 'c'], ['b', 'c']]);
  await second.info();
  second.close();
  const third = await newClient(t, { of });
  third.inbox(({ payload }) => void again.push(payload));
  await third.info();
  assert.equal(again.length, 2, 'all is received');
});

test('a server that is killed and started again: the client comes back and is told of the new epoch', async (t) => {
  const own = await serve();
  const of = await own.addClient('--name', 'survivor', '--grant', 'client_credentials', '--scope', everything);
  const client = await newClient(t, { url: own.ws(), token: () => machineToken(own, of) });
  const seen = [];
  const lost = [];
  await client.subscribe('news', { message: ({ payload }) => seen.push(payload), lost: (event) => lost.push(event) }).ready;
  const before = await client.publish('news', 'before');
  await own.kill();
  assert.ok(await until(() => hasWaited(client)), 'noticed');
  const waiting = client.publish('news', 'written while it was away', { timeoutMs: 60_000 });
  await own.start(own.port);
  const ack = await within(30_000, waiting);
  assert.notEqual(ack.epoch, before.epoch);
  assert.deepEqual(lost, [{ topic: 'news', reason: 'epoch', before: { epoch: before.epoch, offset: 1 }, now: { epoch: ack.epoch, offset: 0 } }]);
  assert.ok(await until(() => seen.length === 2), 'live again');
  assert.deepEqual(seen, ['before', 'written while it was away']);
});

test('a server that goes away says when to come back, and the client does', async (t) => {
  const own = await serve();
  const of = await own.addClient('--name', 'patient', '--grant', 'client_credentials', '--scope', everything);
  const client = await newClient(t, { url: own.ws(), token: () => machineToken(own, of) });
  await own.stop();
  assert.ok(await until(() => client.state === 'waiting' || client.state === 'connecting'), 'noticed');
  const [{ reconnectAfterMs }] = told(client, 'draining');
  const first = told(client, 'state').find(({ state }) => state === 'waiting');
  assert.deepEqual([first.code, first.retryInMs], [1001, reconnectAfterMs]);
  await own.start(own.port);
  assert.ok(await until(() => client.state === 'online'), 'back');
});

/// Small random numbers that a failed run can be repeated with.
function lcg(seed) {
  let state = seed;
  return () => (state = (state * 1103515245 + 12345) % 2147483648) / 2147483648;
}
