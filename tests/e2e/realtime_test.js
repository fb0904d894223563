// The native protocol as npm `ws` meets it: welcome, subscribe, publish, history, direct.
import { test, before } from 'node:test';
import assert from 'node:assert/strict';
import { serve, until } from './lib/server.js';
import { Client } from './lib/websocket.js';
import { machineToken } from './lib/oauth.js';

const server = await serve();
const everything = 'topic:>:subscribe topic:>:publish topic:$user.*:publish';
let token;
before(async () => {
  const client = await server.addClient('--name', 'realtime', '--grant', 'client_credentials', '--scope', everything);
  token = await machineToken(server, client);
});
const open = (options) => Client.open(server.ws(), { token, ...options });
let topics = 0;
const newTopic = () => `room.r${++topics}`;

test('the first frame is a welcome that says who one is and what the limits are', async () => {
  const client = await open();
  const { welcome } = client;
  assert.equal(typeof welcome.connection_id, 'string');
  assert.ok(welcome.user, 'a user');
  assert.ok(welcome.protocol_version !== undefined && welcome.server_time !== undefined);
  assert.equal(welcome.heartbeat_interval_ms, 25_000);
  assert.equal(typeof welcome.limits, 'object');
  await client.close();
});

test('only the subprotocol is echoed when a token is offered as one', async () => {
  const client = await Client.open(server.ws(), { protocols: ['troupe.v1', `bearer.${token}`] });
  assert.equal(client.socket.protocol, 'troupe.v1');
  await client.close();
});

test('ping is answered by pong with its id and timestamp', async () => {
  const client = await open();
  assert.deepEqual(await client.ask({ type: 'ping', timestamp: 1234567890123 }), { type: 'pong', id: 'q1', timestamp: 1234567890123 });
  client.send({ type: 'ping' });
  assert.equal((await client.next('pong')).id, undefined);
  await client.close();
});

test('a publication reaches every subscriber with the payload it came with', async () => {
  const [alice, bob, carol] = await Promise.all([open(), open(), open()]);
  const topic = newTopic();
  const confirmed = await alice.subscribe(topic);
  assert.equal(confirmed.active_subscriptions, 1);
  assert.equal(confirmed.topics[0].topic, topic);
  assert.equal(confirmed.topics[0].offset, 0);
  await bob.subscribe(topic);

  const ack = await carol.ask({ type: 'publish', topic, payload: { text: 'grüße', deep: [1, { two: null }] } });
  assert.equal(ack.type, 'ack');
  assert.equal(ack.delivered_to, 2);
  assert.equal(ack.offset, 1);
  assert.equal(ack.epoch, confirmed.topics[0].epoch);
  for (const subscriber of [alice, bob]) {
    const message = await subscriber.next('message');
    assert.deepEqual(message.payload, { text: 'grüße', deep: [1, { two: null }] });
    assert.deepEqual([message.topic, message.offset, message.epoch], [topic, 1, ack.epoch]);
    assert.ok(message.sent_at);
  }
  for (const client of [alice, bob, carol]) await client.close();
});

test('a payload is passed on byte for byte', async () => {
  const client = await open();
  const topic = newTopic();
  await client.subscribe(topic);
  const seen = new Promise((done) => client.socket.on('message', (data) => `${data}`.includes('"message"') && done(`${data}`)));
  const payload = '{"big":12345678901234567890.10,  "order":1,"a":"\\u00e9\\/"}';
  client.send(`{"type":"publish","topic":"${topic}","payload":${payload}}`);
  assert.ok((await seen).includes(payload), await seen);
  await client.close();
});

test('a publisher that subscribes has its own copy before its ack, and none with exclude_self', async () => {
  const client = await open();
  const topic = newTopic();
  await client.subscribe(topic);
  const order = [];
  client.socket.on('message', (data) => order.push(JSON.parse(data).type));
  assert.equal((await client.ask({ type: 'publish', topic, payload: 1 })).delivered_to, 1);
  assert.deepEqual(order, ['message', 'ack']);
  const ack = await client.ask({ type: 'publish', topic, payload: 2, exclude_self: true });
  assert.deepEqual([ack.delivered_to, ack.offset], [0, 2]);
  assert.deepEqual(order, ['message', 'ack', 'ack']);
  await client.close();
});

test('offsets count one by one and a thousand messages keep their order', async () => {
  const [publisher, subscriber] = await Promise.all([open(), open()]);
  const topic = newTopic();
  await subscriber.subscribe(topic);
  for (let i = 1; i <= 900; ++i) publisher.send({ type: 'publish', topic, payload: i });
  await publisher.quiet();
  for (let i = 1; i <= 900; ++i) {
    const message = await subscriber.next('message');
    assert.deepEqual([message.offset, message.payload], [i, i]);
  }
  await Promise.all([publisher.close(), subscriber.close()]);
});

test('`*` matches one segment and `>` one or more', async () => {
  const [publisher, star, rest] = await Promise.all([open(), open(), open()]);
  await star.subscribe('wild.*.x');
  await rest.subscribe('wild.>');
  const published = ['wild.a.x', 'wild.b.x', 'wild.a.y', 'wild.a.b.x', 'wild', 'wilder.a.x'];
  for (const topic of published) await publisher.ask({ type: 'publish', topic, payload: topic });
  const heard = async (client) => (await client.quiet()).filter((m) => m.type === 'message').map((m) => m.topic);
  assert.deepEqual(await heard(star), ['wild.a.x', 'wild.b.x']);
  assert.deepEqual(await heard(rest), ['wild.a.x', 'wild.b.x', 'wild.a.y', 'wild.a.b.x']);
  for (const client of [publisher, star, rest]) await client.close();
});

test('overlapping subscriptions bring one copy', async () => {
  const client = await open();
  await client.subscribe('overlap.a', 'overlap.*', 'overlap.>');
  const ack = await client.ask({ type: 'publish', topic: 'overlap.a', payload: 1 });
  assert.equal(ack.delivered_to, 1);
  assert.equal((await client.quiet()).filter((m) => m.type === 'message').length, 1);
  await client.close();
});

test('after unsubscribing nothing more arrives', async () => {
  const [client, publisher] = await Promise.all([open(), open()]);
  const topic = newTopic();
  await client.subscribe(topic, 'other.topic');
  const answer = await client.ask({ type: 'unsubscribe', topics: [topic] });
  assert.equal(answer.type, 'unsubscription_confirmed');
  assert.deepEqual([answer.topics, answer.active_subscriptions], [[topic], 1]);
  assert.equal((await publisher.ask({ type: 'publish', topic, payload: 1 })).delivered_to, 0);
  assert.deepEqual(await client.quiet(), []);
  await Promise.all([client.close(), publisher.close()]);
});

test('a connection that is gone is counted no more', async () => {
  const [leaver, publisher] = await Promise.all([open(), open()]);
  const topic = newTopic();
  await leaver.subscribe(topic);
  leaver.socket.terminate();
  await leaver.closed;
  let ack;
  await until(async () => {
    ack = await publisher.ask({ type: 'publish', topic, payload: 1 });
    return ack.delivered_to === 0;
  });
  assert.equal(ack.delivered_to, 0);
  await publisher.close();
});

test('history gives the newest, in order, then since and before a position', async () => {
  const client = await open();
  const topic = newTopic();
  let epoch;
  for (let i = 1; i <= 10; ++i) ({ epoch } = await client.ask({ type: 'publish', topic, payload: { n: i } }));
  const ask = async (frame) => {
    const end = await client.ask({ type: 'history', topic, ...frame });
    assert.equal(end.type, 'history_end', JSON.stringify(end));
    const items = client.inbox.filter((m) => m.type === 'history_item' && m.id === end.id);
    client.inbox = client.inbox.filter((m) => m.type !== 'history_item');
    return { end, offsets: items.map((m) => m.offset), items };
  };
  const newest = await ask({ limit: 3 });
  assert.deepEqual(newest.offsets, [8, 9, 10]);
  assert.deepEqual(newest.items[0].payload, { n: 8 });
  assert.deepEqual((await ask({ limit: 3, since: { epoch, offset: 4 } })).offsets, [5, 6, 7]);
  assert.deepEqual((await ask({ limit: 2, before: { epoch, offset: 4 } })).offsets, [2, 3]);
  const all = await ask({ limit: 100, since: { epoch, offset: 0 } });
  assert.deepEqual([all.offsets.length, all.end.complete], [10, true]);
  await client.close();
});

test('a subscriber that comes back with its position gets what it missed, once and in order', async () => {
  const [client, publisher] = await Promise.all([open(), open()]);
  const topic = newTopic();
  const { topics: [{ epoch }] } = await client.subscribe(topic);
  await publisher.ask({ type: 'publish', topic, payload: 1 });
  await client.next('message');
  await client.close();
  for (const payload of [2, 3, 4]) await publisher.ask({ type: 'publish', topic, payload });

  const again = await open();
  const answer = await again.ask({ type: 'subscribe', topics: [topic], recover: { [topic]: { epoch, offset: 1 } } });
  assert.equal(answer.topics[0].recovered, true);
  for (const offset of [2, 3, 4]) assert.equal((await again.next('message')).offset, offset);
  assert.equal((await publisher.ask({ type: 'publish', topic, payload: 5 })).delivered_to, 1);
  assert.equal((await again.next('message')).offset, 5);
  await Promise.all([again.close(), publisher.close()]);
});

test('recovery from an unknown epoch or from beyond the top is refused, not partial', async () => {
  const client = await open();
  const topic = newTopic();
  const { epoch } = await client.ask({ type: 'publish', topic, payload: 1 });
  for (const position of [{ epoch: 'other', offset: 0 }, { epoch, offset: 99 }]) {
    const answer = await client.ask({ type: 'subscribe', topics: [topic], recover: { [topic]: position } });
    assert.equal(answer.topics?.[0].recovered ?? false, false, JSON.stringify(answer));
    assert.deepEqual((await client.quiet()).filter((m) => m.type === 'message'), []);
    await client.ask({ type: 'unsubscribe', topics: [topic] });
  }
  await client.close();
});

test('a direct message reaches every connection of its user', async () => {
  const [one, two, sender] = await Promise.all([open(), open(), open()]);
  const ack = await sender.ask({ type: 'direct', user: one.welcome.user, payload: { hello: true } });
  assert.equal(ack.type, 'ack', JSON.stringify(ack));
  assert.ok(ack.message_id);
  for (const id of [one, two].map((client) => client.welcome.connection_id)) assert.ok(ack.connections.includes(id));
  for (const client of [one, two]) {
    const message = await client.next('direct');
    assert.deepEqual([message.payload, message.message_id], [{ hello: true }, ack.message_id]);
    assert.equal(message.from, sender.welcome.user);
  }
  for (const client of [one, two, sender]) await client.close();
});

test('info tells of this connection', async () => {
  const client = await open();
  await client.subscribe('info.a', 'info.b');
  const info = await client.ask({ type: 'info' });
  assert.equal(info.type, 'info');
  assert.equal(info.connection_id, client.welcome.connection_id);
  assert.equal(info.user, client.welcome.user);
  const count = Array.isArray(info.subscriptions) ? info.subscriptions.length : info.subscriptions;
  assert.equal(count, 2);
  await client.close();
});

test('a hundred connections hear each other', async () => {
  const clients = await Promise.all(Array.from({ length: 100 }, () => open()));
  const topic = newTopic();
  await Promise.all(clients.map((client) => client.subscribe(topic)));
  const ack = await clients[0].ask({ type: 'publish', topic, payload: 'all' });
  assert.equal(ack.delivered_to, 100);
  await Promise.all(clients.map((client) => client.next('message')));
  await Promise.all(clients.map((client) => client.close()));
});
