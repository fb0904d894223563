// Subscriptions over one socket after the other: recovery, doubles, gaps, losses, patterns, sessions.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { gap, listen, restarted } from './lib/listen.js';
import { World, message, settle } from './lib/world.js';


test('what is wanted in one turn is asked for in one frame, by options', async (t) => {
  const world = new World(t);
  for (const topic of ['a', 'b', 'c.*']) listen(world, topic);
  listen(world, 'd', { overflow: 'latest' });
  listen(world, 'a');
  const socket = await world.online();
  assert.deepEqual(socket.frames('subscribe').map(({ topics, overflow, recover }) => [topics, overflow, recover]),
                   [[['a', 'b', 'c.*'], undefined, undefined], [['d'], 'latest', undefined]]);
});

// What comes in one turn on a live subscription at offset 5 of epoch e, and what the user is told.
for (const [name, frames, expected] of [
  ['consecutive messages', [message('a', 6), message('a', 7)], ['6', '7']],
  ['a double', [message('a', 6), message('a', 6), message('a', 5), message('a', 7)], ['6', '7']],
  ['a gap that is told', [gap('a', 6, 8), message('a', 9)], ['gap 6-8 overflow', '9']],
  ['a gap with nothing after it', [gap('a', 6, 8)], ['gap 6-8 overflow']],
  ['a gap that is partly known', [message('a', 6), gap('a', 5, 8), message('a', 9)], ['6', 'gap 7-8 overflow', '9']],
  ['a gap that is wholly known', [message('a', 6), gap('a', 5, 6), message('a', 7)], ['6', '7']],
  ['gaps one after the other', [gap('a', 6, 6), gap('a', 7, 9, { reason: 'latest' }), message('a', 10)], ['gap 6-6 overflow', 'gap 7-9 latest', '10']],
  ['a message inside a told gap', [gap('a', 6, 8), message('a', 7), message('a', 9)], ['gap 6-8 overflow', '9']],
  ['a hole that nobody told', [message('a', 9)], ['gap 6-8 missing', '9']],
  ['a gap too small for the hole', [gap('a', 6, 7), message('a', 10)], ['gap 6-7 overflow', 'gap 8-9 missing', '10']],
  ['another epoch', [message('a', 1, { epoch: 'f' }), message('a', 2, { epoch: 'f' })], ['lost epoch', '1', '2']],
  ['another topic', [message('b', 1), gap('b', 1, 2)], []],
]) {
  test(`live: ${name}`, async (t) => {
    const world = new World(t);
    const log = listen(world, 'a');
    const socket = await world.online();
    await socket.confirm({ a: 5 });
    log.length = 0;
    await socket.say(...frames);
    assert.deepEqual([...log], expected);
  });
}

// What follows a lost socket for somebody at offset 5 of epoch e: the confirmation and frames right behind it.
for (const [name, entry, frames, expected, position] of [
  ['nothing was missed', { epoch: 'e', offset: 5, recovered: true }, [message('a', 6)], ['recovered', '6'], 6],
  ['what was missed, then live', { epoch: 'e', offset: 7, recovered: true }, [message('a', 6), message('a', 7), message('a', 8)], ['recovered', '6', '7', '8'], 8],
  ['more than was missed', { epoch: 'e', offset: 7, recovered: true }, [message('a', 4), message('a', 5), message('a', 6), message('a', 7)], ['recovered', '6', '7'], 7],
  ['less than was missed', { epoch: 'e', offset: 7, recovered: true }, [message('a', 7)], ['recovered', 'gap 6-6 missing', '7'], 7],
  ['a gap in what was missed', { epoch: 'e', offset: 9, recovered: true }, [gap('a', 6, 8), message('a', 9)], ['recovered', 'gap 6-8 overflow', '9'], 9],
  ['refused, for it is kept no more', { epoch: 'e', offset: 600, recovered: false }, [message('a', 601)], ['lost expired', 'subscribed', '601'], 601],
  ['refused, for another epoch', { epoch: 'f', offset: 3, recovered: false }, [message('a', 4, { epoch: 'f' })], ['lost epoch', 'subscribed', '4'], 4],
]) {
  test(`recovery: ${name}`, async (t) => {
    const world = new World(t);
    const log = listen(world, 'a');
    await (await world.online()).confirm({ a: 5 });
    log.length = 0;
    const socket = await world.reconnect();
    const { id, topics, recover } = socket.last('subscribe');
    assert.deepEqual([topics, recover], [['a'], { a: { epoch: 'e', offset: 5 } }]);
    await socket.say(message('a', 99)); // of no concern before the confirmation
    await socket.say({ type: 'subscription_confirmed', id, topics: [{ topic: 'a', ...entry }] }, ...frames);
    assert.deepEqual([...log], expected);
    assert.equal(log.subscription.position.offset, position);
  });
}

test('the events of the client tell of every topic what its handlers are told', async (t) => {
  const world = new World(t);
  listen(world, 'a');
  await (await world.online()).confirm({ a: 5 });
  const socket = await world.reconnect();
  await socket.confirm({ a: { epoch: 'f', offset: 3, recovered: false } });
  assert.deepEqual(world.events('lost'), [{ topic: 'a', reason: 'epoch', before: { epoch: 'e', offset: 5 }, now: { epoch: 'f', offset: 3 } }]);
  await socket.say(gap('a', 4, 4, { epoch: 'f' }), gap('$user.u', 1, 2));
  assert.deepEqual(world.events('gap').map(({ topic, from, to }) => [topic, from, to]), [['a', 4, 4], ['$user.u', 1, 2]]);
});

test('a position kept from an earlier run is where it begins', async (t) => {
  const world = new World(t);
  const log = listen(world, 'a', { recover: { epoch: 'e', offset: 41 } });
  const socket = await world.online();
  assert.deepEqual(socket.last('subscribe').recover, { a: { epoch: 'e', offset: 41 } });
  await socket.confirm({ a: { epoch: 'e', offset: 42, recovered: true } });
  await socket.say(message('a', 42));
  assert.deepEqual([...log], ['recovered', '42']);
});

for (const topic of ['a', 'x.*']) {
  test(`a position of null, as JSON keeps one that was not there, is none: ${topic}`, async (t) => {
    const world = new World(t);
    const log = listen(world, topic, { recover: null });
    const socket = await world.online();
    assert.equal(socket.last('subscribe').recover, undefined);
    await socket.confirm({ [topic]: topic === 'a' ? 5 : { shards: { s1: { epoch: 'p', seq: 1 } }, recovered: false } });
    assert.deepEqual([...log], ['subscribed']);
  });
}

test('a name and patterns that overlap get each message once, from one copy', async (t) => {
  const world = new World(t);
  const [name, star, rest] = ['x.a', 'x.*', '>'].map((topic) => listen(world, topic));
  const socket = await world.online();
  const shards = { s1: { epoch: 'p', seq: 10 } };
  await socket.confirm({ 'x.a': 5, 'x.*': { shards, recovered: false }, '>': { shards, recovered: false } });
  await socket.say(message('x.a', 6, { shard: 's1', seq: 11 }), message('x.b', 1, { shard: 's1', seq: 12 }), message('y', 3, { shard: 's1', seq: 13 }));
  assert.deepEqual([[...name], [...star], [...rest]],
                   [['subscribed', '6'], ['subscribed', 'x.a 6', 'x.b 1'], ['subscribed', 'x.a 6', 'x.b 1', 'y 3']]);
});

test('what a name recovers is not for a pattern that began after it, unless the pattern recovers it as well', async (t) => {
  const world = new World(t);
  const star = listen(world, 'x.*');
  const socket = await world.online();
  const shards = { s1: { epoch: 'p', seq: 20 } };
  await socket.confirm({ 'x.*': { shards, recovered: false } });
  const back = listen(world, 'x.>', { recover: { s1: { epoch: 'p', seq: 10 } } });
  const [a, b] = ['x.a', 'x.b'].map((topic) => listen(world, topic, { recover: { epoch: 'e', offset: 3 } }));
  await settle();
  await socket.say(message('x.b', 6, { shard: 's1', seq: 21 })); // live: the pattern has a position there
  await socket.confirm({ 'x.>': { shards: { s1: { epoch: 'p', seq: 21 } }, recovered: true },
                         'x.a': { epoch: 'e', offset: 6, recovered: true }, 'x.b': { epoch: 'e', offset: 7, recovered: true } });
  await socket.say(message('x.a', 4), gap('x.a', 5, 5), message('x.a', 6, { shard: 's1', seq: 15 }),
                   gap('x.b', 4, 6), message('x.b', 7, { shard: 's1', seq: 22 }), message('x.a', 7, { shard: 's1', seq: 23 }));
  assert.deepEqual([...star], ['subscribed', 'x.b 6', 'x.b 7', 'x.a 7']);
  assert.deepEqual([...back], ['recovered', 'gap 5-5 overflow', 'x.a 6', 'gap 4-6 overflow', 'x.b 7', 'x.a 7']);
  assert.deepEqual([[...a], [...b]], [['recovered', '4', 'gap 5-5 overflow', '6', '7'], ['recovered', 'gap 4-6 overflow', '7']]);
});

test('a pattern keeps its place in each shard and recovers from there, without doubles', async (t) => {
  const world = new World(t);
  const log = listen(world, 'x.*');
  let socket = await world.online();
  await socket.confirm({ 'x.*': { shards: { s1: { epoch: 'p', seq: 10 }, s2: { epoch: 'q', seq: 0 } }, recovered: false } });
  await socket.say(message('x.a', 6, { shard: 's1', seq: 12 }), message('x.b', 1, { shard: 's2', seq: 4 }));
  socket = await world.reconnect();
  assert.deepEqual(socket.last('subscribe').recover, { 'x.*': { shards: { s1: { epoch: 'p', seq: 12 }, s2: { epoch: 'q', seq: 4 } } } });
  log.length = 0;
  await socket.confirm({ 'x.*': { shards: { s1: { epoch: 'p', seq: 15 }, s2: { epoch: 'q', seq: 4 } }, recovered: true } });
  await socket.say(message('x.a', 6, { shard: 's1', seq: 12 }), message('x.a', 7, { shard: 's1', seq: 14 }), message('x.a', 9, { shard: 's1', seq: 15 }));
  assert.deepEqual([...log], ['recovered', 'x.a 7', 'gap 8-8 missing', 'x.a 9']);
});

test('a server that does not recover patterns: begun anew, and told', async (t) => {
  const world = new World(t);
  const log = listen(world, 'x.*');
  await (await world.online()).confirm({ 'x.*': { shards: { s1: { epoch: 'p', seq: 10 } }, recovered: false } });
  const socket = await world.reconnect();
  await socket.answer('subscribe', { type: 'error', code: 'bad_request', message: 'only topics have a position' });
  assert.equal(socket.last('subscribe').recover, undefined);
  await socket.confirm({ 'x.*': { shards: { s1: { epoch: 'p', seq: 20 } }, recovered: false } });
  assert.deepEqual([...log], ['subscribed', 'lost expired', 'subscribed']);
});


// What follows `restarted` on a live subscription at offset 5 of epoch e, or at 10 of shard s1 and 3 of s2.
for (const [name, topic, entry, frames, expected, position] of [
  ['a new epoch, from its beginning', 'a', { epoch: 'f', offset: 0 }, [message('a', 1, { epoch: 'f' })], ['lost epoch', '1'], { epoch: 'f', offset: 1 }],
  ['a new epoch that has forgotten its beginning', 'a', { epoch: 'f', offset: 7 }, [message('a', 8, { epoch: 'f' })], ['lost epoch', '8'], { epoch: 'f', offset: 8 }],
  ['a new epoch of one shard', 'x.*', { shards: { s1: { epoch: 'p2', seq: 0 }, s2: { epoch: 'q', seq: 3 } } },
   [message('x.a', 1, { epoch: 'f', shard: 's1', seq: 1 }), message('x.b', 9, { shard: 's2', seq: 4 })],
   ['lost epoch', 'x.a 1', 'x.b 9'], { s1: { epoch: 'p2', seq: 1 }, s2: { epoch: 'q', seq: 4 } }],
]) {
  test(`restarted: ${name}`, async (t) => {
    const world = new World(t);
    const log = listen(world, topic);
    const socket = await world.online();
    await socket.confirm({ [topic]: topic === 'a' ? 5 : { shards: { s1: { epoch: 'p', seq: 10 }, s2: { epoch: 'q', seq: 3 } }, recovered: false } });
    log.length = 0;
    await socket.say(restarted({ topic, ...entry }), ...frames);
    assert.deepEqual([...log], expected);
    assert.deepEqual(log.subscription.position, position);
    assert.equal(socket.frames('subscribe').length, 1);
  });
}

test('restarted further on in the same epoch: what is between is asked for, for it may be kept', async (t) => {
  const world = new World(t);
  const log = listen(world, 'a');
  const socket = await world.online();
  await socket.confirm({ a: 5 });
  log.length = 0;
  await socket.say(restarted({ topic: 'a', epoch: 'e', offset: 8 }), message('a', 9));
  assert.deepEqual(socket.last('subscribe').recover, { a: { epoch: 'e', offset: 5 } });
  await socket.confirm({ a: { epoch: 'e', offset: 9, recovered: true } });
  await socket.say(...[6, 7, 8, 9, 10].map((offset) => message('a', offset)));
  assert.deepEqual([...log], ['recovered', '6', '7', '8', '9', '10']);
});

test('an inbox that is restarted: what is being handled is not acknowledged with its old offset', async (t) => {
  const world = new World(t);
  const handled = [];
  let done;
  world.client.inbox(({ payload }) => { handled.push(payload); return payload === 'old' ? new Promise((resolve) => { done = resolve; }) : undefined; });
  const socket = await world.online();
  const direct = (payload, offset) => ({ type: 'direct', from: 'v', payload, message_id: payload, offset, sent_at: 1 });
  await socket.say(direct('old', 40), direct('older', 41));
  await socket.say(restarted({ topic: '$user.u', epoch: 'f', offset: 0 }), direct('new', 1));
  done();
  await settle();
  assert.deepEqual(handled, ['old', 'older', 'new']);
  assert.deepEqual(socket.frames('received').map(({ offset }) => offset), [1]);
  assert.deepEqual(world.events('lost').map(({ topic, reason }) => [topic, reason]), [['$user.u', 'epoch']]);
});

test('one that is refused does not take the others with it', async (t) => {
  const world = new World(t);
  const [good, bad] = [listen(world, 'good'), listen(world, 'bad')];
  const socket = await world.online();
  await socket.answer('subscribe', { type: 'error', code: 'forbidden', message: 'no' });
  const [, first, second] = socket.frames('subscribe');
  assert.deepEqual([first.topics, second.topics], [['good'], ['bad']]);
  await socket.say({ type: 'subscription_confirmed', id: first.id, topics: [{ topic: 'good', epoch: 'e', offset: 0, recovered: false }] },
                   { type: 'error', id: second.id, code: 'forbidden', message: 'no' });
  await good.subscription.ready;
  await assert.rejects(bad.subscription.ready, { code: 'forbidden' });
  assert.deepEqual([[...good], [...bad]], [['subscribed'], ['unsubscribed forbidden']]);
  const next = await world.reconnect();
  assert.deepEqual(next.last('subscribe').topics, ['good']);
});

test('what the server has no room for now is asked for again after the time it says', async (t) => {
  const world = new World(t);
  const log = listen(world, 'a');
  const socket = await world.online();
  await socket.answer('subscribe', { type: 'error', code: 'overloaded', message: 'later', retry_after_ms: 2000 });
  await world.pass(1999);
  assert.equal(socket.frames('subscribe').length, 1);
  await world.pass(1);
  await socket.confirm({ a: 0 });
  assert.deepEqual([...log], ['subscribed']);
});

test('a handler that throws stops neither the others nor the client', async (t) => {
  const world = new World(t);
  world.client.subscribe('a', () => { throw new Error('mine'); });
  const log = listen(world, 'a');
  const socket = await world.online();
  await socket.confirm({ a: 0 });
  await socket.say(message('a', 1), message('a', 2));
  assert.deepEqual([...log], ['subscribed', '1', '2']);
  assert.deepEqual(world.events('error').map((error) => error.message), ['mine', 'mine']);
});

test('handlers may be the methods of an object, and two subscriptions may share it', async (t) => {
  class Log {
    seen = [];
    subscribed() { this.seen.push('subscribed'); }
    message({ offset }) { this.seen.push(offset); }
  }
  const world = new World(t);
  const log = new Log();
  const one = world.client.subscribe('a', log);
  world.client.subscribe('a', log);
  const socket = await world.online();
  await socket.confirm({ a: 0 });
  await socket.say(message('a', 1));
  one.unsubscribe();
  await socket.say(message('a', 2));
  assert.deepEqual(log.seen, ['subscribed', 'subscribed', 1, 1, 2]);
});

test('what an asynchronous handler fails with is an error event', async (t) => {
  const world = new World(t);
  const fail = (name) => async () => { throw new Error(name); };
  world.client.subscribe('a', { message: fail('message'), subscribed: fail('subscribed'), presence: fail('presence') }, { presence: true });
  world.client.members('room', fail('members'));
  const socket = await world.online();
  world.client.on('gap', fail('listener'));
  await socket.confirm({ a: 0, room: 0 });
  await socket.answer('presence', { type: 'presence_state', count: 1, users: ['ann'] });
  await socket.say(message('a', 1), { type: 'presence_changed', topic: 'a', joined: ['ann'], left: [] }, gap('a', 2, 2));
  assert.deepEqual(world.events('error').map((error) => error.message), ['subscribed', 'members', 'message', 'presence', 'listener']);
});

// Publications with exclude_self: their acks stand for offsets that never come as messages. `ack N` answers the oldest.
for (const [name, published, script, expected, position] of [
  ['in its place', 1, [message('a', 6), 'ack 7', message('a', 8)], ['6', '8'], 8],
  ['after a later message', 1, [message('a', 6), message('a', 8), 'ack 7'], ['6', '8'], 8],
  ['before an earlier message', 1, ['ack 7', message('a', 6), message('a', 8)], ['6', '8'], 8],
  ['last of all', 1, [message('a', 6), 'ack 7'], ['6'], 7],
  ['two in a row', 2, ['ack 6', 'ack 7', message('a', 8)], ['8'], 8],
  ['explains a part of a hole', 1, [message('a', 9), 'ack 7'], ['9', 'gap 6-6 missing', 'gap 8-8 missing'], 9],
  ['fails, so that the hole was one', 1, [message('a', 7), 'error'], ['7', 'gap 6-6 missing'], 7],
  ['waits for the second ack before it complains', 2, [message('a', 9), 'ack 7', 'ack 6'], ['9', 'gap 8-8 missing'], 9],
]) {
  test(`the ack of one's own publication: ${name}`, async (t) => {
    const world = new World(t);
    const log = listen(world, 'a');
    const socket = await world.online();
    await socket.confirm({ a: 5 });
    log.length = 0;
    for (let i = 0; i < published; ++i) world.client.publish('a', i, { excludeSelf: true }).catch(() => {});
    const open = socket.frames('publish').map(({ id, exclude_self }) => { assert.equal(exclude_self, true); return id; });
    for (const each of script) {
      const [what, offset] = typeof each === 'string' ? each.split(' ') : [];
      if (!what) await socket.say(each);
      else if (what === 'ack') await socket.say({ type: 'ack', id: open.shift(), delivered_to: 0, queued: 0, epoch: 'e', offset: Number(offset) });
      else await socket.say({ type: 'error', id: open.shift(), code: 'internal', message: 'no' });
    }
    assert.deepEqual([...log], expected);
    assert.equal(log.subscription.position.offset, position);
  });
}

test('an own publication that a rule sends to another topic is no hole there, and explains none here', async (t) => {
  const world = new World(t);
  const [a, b] = [listen(world, 'a'), listen(world, 'b')];
  const socket = await world.online();
  await socket.confirm({ a: 5, b: 5 });
  world.client.publish('a', 1, { excludeSelf: true }).catch(() => {});
  await socket.say(message('a', 7)); // 6 may be that publication
  await socket.answer('publish', { type: 'ack', delivered_to: 0, queued: 0, epoch: 'e', offset: 6, topic: 'b' });
  await socket.say(message('b', 7), message('a', 8));
  assert.deepEqual([[...a], [...b]], [['subscribed', '7', 'gap 6-6 missing', '8'], ['subscribed', '7']]);
});

test('a session that the server still has is resumed with the positions, and only what is new is subscribed', async (t) => {
  const world = new World(t);
  const [kept, gone] = [listen(world, 'kept'), listen(world, 'gone')];
  await (await world.online()).confirm({ kept: 5, gone: 1 });
  await world.socket.end();
  gone.subscription.unsubscribe();
  const fresh = listen(world, 'fresh');
  await world.pass(60_000);
  assert.equal(world.socket.url.searchParams.get('session'), 's1');
  await world.socket.welcome({ resumed: true });
  const { socket } = world;
  assert.deepEqual(socket.last('resume').positions, { kept: { epoch: 'e', offset: 5 } });
  assert.deepEqual([socket.last('subscribe').topics, socket.last('unsubscribe').topics], [['fresh'], ['gone']]);
  const { id } = socket.last('resume');
  await socket.say({ type: 'resumed', id, topics: [{ topic: 'kept', epoch: 'e', offset: 7, recovered: true }] }, message('kept', 6), message('kept', 7));
  await socket.confirm({ fresh: 0 });
  assert.deepEqual([[...kept], [...fresh]], [['subscribed', 'resumed', '6', '7'], ['subscribed']]);
});

for (const [name, answer, expected] of [
  ['with a topic that could not be recovered', { type: 'resumed', topics: [{ topic: 'a', epoch: 'e', offset: 900, recovered: false }] }, ['lost expired', 'resumed']],
  ['without a list of topics: all are there', { type: 'resumed' }, ['resumed']],
]) {
  test(`a session is resumed ${name}`, async (t) => {
    const world = new World(t);
    const log = listen(world, 'a');
    await (await world.online()).confirm({ a: 5 });
    log.length = 0;
    const socket = await world.reconnect({ resumed: true });
    assert.equal(socket.frames('subscribe').length, 0);
    await socket.answer('resume', answer);
    assert.deepEqual([...log], expected);
  });
}

for (const [name, answer] of [
  ['refused', { type: 'error', code: 'bad_request', message: 'no' }],
  ['carried out without a topic', { type: 'resumed', topics: [] }],
]) {
  test(`a resume that is ${name}: the topic is subscribed with its position instead`, async (t) => {
    const world = new World(t);
    const log = listen(world, 'a');
    await (await world.online()).confirm({ a: 5 });
    const socket = await world.reconnect({ resumed: true });
    await socket.answer('resume', answer);
    assert.deepEqual(socket.last('subscribe').recover, { a: { epoch: 'e', offset: 5 } });
    await socket.confirm({ a: { epoch: 'e', offset: 5, recovered: true } });
    assert.deepEqual([...log], ['subscribed', 'recovered']);
  });
}

/// The answer of a server that recovers `room` of the topics of a frame, the first of them, and keeps all.
const crowded = ({ type, id, topics, positions }, room, offset = 9) => ({
  type: type === 'resume' ? 'resumed' : 'subscription_confirmed', id,
  topics: (topics ?? Object.keys(positions)).map((topic, at) => ({ topic, epoch: 'e', offset, recovered: at < room })),
});

for (const resumed of [true, false]) {
  test(`what found no room among what is recovered is asked for again with fewer beside it, ${resumed ? 'resumed' : 'anew'}`, async (t) => {
    const world = new World(t);
    const topics = ['a', 'b', 'c', 'd', 'e', 'f'];
    const logs = topics.map((topic) => listen(world, topic));
    await (await world.online()).confirm(Object.fromEntries(topics.map((topic) => [topic, 5])));
    const socket = await world.reconnect({ resumed });
    const recovered = (type, room, ...more) => socket.say(crowded(socket.last(type), room), ...more);
    const taken = () => socket.answer('info', { type: 'info' });
    await recovered(resumed ? 'resume' : 'subscribe', 2);
    const asked = socket.frames('subscribe').length;
    assert.equal(socket.frames('info').length, 1, 'its answer comes when what was recovered has come');
    await taken();
    assert.deepEqual(socket.last('subscribe').topics, ['c', 'd']);
    assert.deepEqual(socket.last('subscribe').recover, { c: { epoch: 'e', offset: 5 }, d: { epoch: 'e', offset: 5 } });
    await socket.say(message('c', 9)); // of no concern: it will be recovered
    await recovered('subscribe', 2, message('c', 6));
    await taken();
    assert.deepEqual(socket.last('subscribe').topics, ['e', 'f']);
    await recovered('subscribe', 1);
    await taken();
    assert.deepEqual(socket.last('subscribe').topics, ['f']);
    await recovered('subscribe', 0, message('f', 10));
    assert.equal(socket.frames('subscribe').length - asked, 3);
    const back = resumed ? 'resumed' : 'recovered';
    assert.deepEqual(logs.map((log) => log.slice(1)), [[back], [back], ['recovered', '6'], ['recovered'], ['recovered'], ['lost expired', 'subscribed', '10']]);
    assert.deepEqual((await world.reconnect()).frames('subscribe').map((frame) => frame.topics), [topics], 'the next time all together');
  });
}

test('where nothing was recovered there was room: what is not recovered is lost at once', async (t) => {
  const world = new World(t);
  const logs = ['a', 'b'].map((topic) => listen(world, topic));
  await (await world.online()).confirm({ a: 5, b: 5 });
  const socket = await world.reconnect();
  await socket.confirm({ a: { epoch: 'e', offset: 5, recovered: true }, b: 9 });
  assert.deepEqual(logs.map((log) => log.slice(1)), [['recovered'], ['lost expired', 'subscribed']]);
});

test('what is unsubscribed while it waits for room is not asked for again', async (t) => {
  const world = new World(t);
  listen(world, 'a');
  const { subscription } = listen(world, 'b');
  await (await world.online()).confirm({ a: 5, b: 5 });
  const socket = await world.reconnect();
  await socket.say(crowded(socket.last('subscribe'), 1));
  subscription.unsubscribe();
  await socket.answer('info', { type: 'info' });
  assert.deepEqual([socket.last('unsubscribe').topics, socket.frames('subscribe').length], [['b'], 1]);
});

test('what has another epoch, no position or a pattern is not asked for again where it was not recovered', async (t) => {
  const world = new World(t);
  const shards = { s1: { epoch: 'p', seq: 10 } };
  const logs = ['a', 'b', 'x.*'].map((topic) => listen(world, topic));
  await (await world.online()).confirm({ a: 5, b: 5, 'x.*': { shards, recovered: false } });
  await world.socket.end();
  const fresh = listen(world, 'c');
  await world.pass(60_000);
  await world.socket.welcome();
  await world.socket.confirm({ a: { epoch: 'f', offset: 5 }, b: { epoch: 'e', offset: 7, recovered: true }, 'x.*': { shards }, c: 4 });
  assert.deepEqual(['subscribe', 'info'].map((type) => world.socket.frames(type).length), [1, 0]);
  assert.deepEqual([...logs, fresh].map((log) => log.at(-2) + ' ' + log.at(-1)),
                   ['lost epoch subscribed', 'subscribed recovered', 'lost expired subscribed', 'undefined subscribed']);
});

test('a socket that is lost before the confirmation: asked for again on the next', async (t) => {
  const world = new World(t);
  const log = listen(world, 'a');
  await world.online();
  const socket = await world.reconnect();
  await socket.confirm({ a: 3 });
  await log.subscription.ready;
  await socket.say(message('a', 4));
  assert.deepEqual([...log], ['subscribed', '4']);
});
