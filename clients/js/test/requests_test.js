// Publishing, direct messages, history, presence: answers, time limits, repeats over a lost socket, bounds.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { World, quiet, settle } from './lib/world.js';

const ack = { type: 'ack', delivered_to: 2, queued: 1, epoch: 'e', offset: 7 };

test('a publication resolves with its ack and bears a key of its own', async (t) => {
  const world = new World(t);
  const socket = await world.online();
  const published = quiet(world.client.publish('a', { x: 1 }, { priority: 'high' }));
  const frame = socket.last('publish');
  assert.deepEqual([frame.topic, frame.payload, frame.priority], ['a', { x: 1 }, 'high']);
  await socket.answer('publish', ack);
  assert.deepEqual(await published, { deliveredTo: 2, queued: 1, epoch: 'e', offset: 7 });
  world.client.publish('a', 1).catch(() => {});
  assert.notEqual(socket.last('publish').idempotency_key, frame.idempotency_key);
  assert.ok(frame.idempotency_key.length <= 64);
});

test('a publication that a rule sends to another topic names that one', async (t) => {
  const world = new World(t);
  const socket = await world.online();
  const published = quiet(world.client.publish('a', 1));
  await socket.answer('publish', { ...ack, topic: 'b' });
  assert.deepEqual(await published, { deliveredTo: 2, queued: 1, epoch: 'e', offset: 7, topic: 'b' });
});

test('bytes are published as a binary frame', async (t) => {
  const world = new World(t);
  const socket = await world.online();
  world.client.publish('a', Uint8Array.of(1, 10, 2)).catch(() => {});
  const { binary, payload } = socket.last('publish');
  assert.equal(payload, undefined);
  assert.deepEqual([...binary.slice(-4)], [10, 1, 10, 2]);
});

test('an error of the server rejects with its code and when to try again', async (t) => {
  const world = new World(t);
  const socket = await world.online();
  const published = quiet(world.client.publish('a', 1));
  await socket.answer('publish', { type: 'error', code: 'overloaded', message: 'later', retry_after_ms: 50, details: { why: 1 } });
  await assert.rejects(published, { name: 'TroupeError', code: 'overloaded', message: 'later', retryAfterMs: 50, details: { why: 1 } });
});

test('no answer in time is `timeout`, counted from the call, and a late answer is nobody\'s', async (t) => {
  const world = new World(t, { timeoutMs: 3000 });
  const socket = await world.online();
  const published = quiet(world.client.publish('a', 1));
  const patient = quiet(world.client.publish('a', 2, { timeoutMs: 4000 }));
  await world.pass(3000);
  await assert.rejects(published, { code: 'timeout' });
  await socket.say({ ...ack, id: socket.frames('publish')[0].id });
  await socket.answer('publish', ack);
  assert.equal((await patient).offset, 7);
  assert.deepEqual(world.events('error'), []);
});

test('what was not acknowledged when the socket is lost is sent again with its key, in order, before what is new', async (t) => {
  const world = new World(t, { timeoutMs: 1e9 });
  const socket = await world.online();
  const all = [1, 2, 3].map((payload) => world.client.publish('a', payload));
  await socket.say({ ...ack, id: socket.frames('publish')[0].id });
  await socket.end();
  all.push(world.client.publish('a', 4));
  await world.pass(60_000);
  assert.equal(world.socket.sent.length, 0, 'not before the welcome');
  await world.socket.welcome();
  const again = world.socket.frames('publish');
  assert.deepEqual(again.map(({ payload }) => payload), [2, 3, 4]);
  const keys = socket.frames('publish').map(({ idempotency_key }) => idempotency_key);
  assert.deepEqual(again.slice(0, 2).map(({ idempotency_key }) => idempotency_key), keys.slice(1));
  for (const { id } of again) await world.socket.say({ ...ack, id });
  assert.equal((await Promise.all(all)).length, 4);
});

for (const [name, send, kept] of [
  ['a publication without a key', (client) => client.publish('a', 1, { idempotencyKey: false }), false],
  ['a direct message', (client) => client.direct('bob', 1), false],
  ['a publication', (client) => client.publish('a', 1), true],
  ['info', (client) => client.info(), true],
]) {
  test(`${name} that a socket had is ${kept ? 'sent again' : 'not sent again but fails with `disconnected`'}; one that none had waits`, async (t) => {
    const world = new World(t, { timeoutMs: 1e9 });
    const waiting = send(world.client);
    waiting.catch(() => {});
    await world.online();
    assert.equal(world.socket.sent.length, 1, 'waited for the socket');
    await world.reconnect();
    assert.equal(world.socket.sent.length, kept ? 1 : 0);
    if (!kept) await assert.rejects(waiting, { code: 'disconnected' });
  });
}

for (const [name, user] of [['the same user', 'u'], ['another user', 'v']]) {
  test(`what is published when the state becomes online comes after what waited: back as ${name}`, async (t) => {
    const world = new World(t, { timeoutMs: 1e9 });
    await world.online();
    await world.socket.end();
    const waited = world.client.publish('a', 'waited');
    let listened;
    world.client.on('state', ({ state }) => {
      if (state === 'online') listened = world.client.publish('a', `as ${world.client.welcome.user}`);
    });
    await world.pass(500);
    await world.socket.welcome({ user });
    const { socket } = world;
    assert.deepEqual(socket.frames('publish').map(({ payload }) => payload), ['waited', `as ${user}`]);
    for (const { id } of socket.frames('publish')) await socket.say({ ...ack, id });
    assert.equal((await Promise.all([waited, listened])).length, 2);
  });
}

test('back as another user, what was sent is not repeated, for its key is of the first one', async (t) => {
  const world = new World(t, { timeoutMs: 1e9 });
  await world.online({ user: 'anon:1' });
  const published = quiet(world.client.publish('a', 1));
  await world.socket.end();
  const unsent = world.client.publish('a', 2);
  unsent.catch(() => {});
  await world.pass(60_000);
  await world.socket.welcome({ user: 'anon:2' });
  await assert.rejects(published, { code: 'disconnected' });
  assert.deepEqual(world.socket.frames('publish').map(({ payload }) => payload), [2]);
});

test('what waits is bounded by count and by bytes, with a clear error, and there is room again afterwards', async (t) => {
  const world = new World(t, { buffer: { count: 3, bytes: 400 }, timeoutMs: 1e9 });
  const all = [1, 2, 3].map((payload) => world.client.publish('a', payload, { idempotencyKey: 'k' }));
  await assert.rejects(world.client.publish('a', 4), { code: 'buffer_full' });
  const socket = await world.online();
  for (const { id } of socket.frames('publish')) await socket.say({ ...ack, id });
  await Promise.all(all);
  await socket.end();
  world.client.publish('a', 'x'.repeat(200), { idempotencyKey: 'k' }).catch(() => {});
  await assert.rejects(world.client.publish('a', 'x'.repeat(200), { idempotencyKey: 'k' }), { code: 'buffer_full' });
  world.client.publish('a', 'x', { idempotencyKey: 'k' }).catch(() => {});
  await world.pass(60_000);
  await world.socket.welcome();
  assert.equal(world.socket.frames('publish').length, 2);
  world.socket.bufferedAmount = 390; // the network does not keep up
  await assert.rejects(world.client.publish('a', 1), { code: 'buffer_full' });
});

test('what gives up waiting makes room', async (t) => {
  const world = new World(t, { buffer: { count: 1 }, timeoutMs: 100 });
  const first = world.client.publish('a', 1);
  first.catch(() => {});
  await world.pass(100);
  await assert.rejects(first, { code: 'timeout' });
  world.client.publish('a', 2).catch(() => {});
  const socket = await world.online();
  assert.deepEqual(socket.frames('publish').map(({ payload }) => payload), [2]);
});

test('a frame over the limit is refused here, so that it does not cost the connection', async (t) => {
  const world = new World(t);
  const early = world.client.publish('a', 'x'.repeat(1000));
  early.catch(() => {});
  await world.online();
  await assert.rejects(early, { code: 'too_large' });
  await assert.rejects(world.client.publish('a', 'ü'.repeat(480)), { code: 'too_large' });
  assert.equal(world.socket.sent.length, 0);
});

test('history comes item by item, and its end says whether it is complete', async (t) => {
  const world = new World(t);
  const socket = await world.online();
  const history = world.client.history('a', { limit: 5, since: { epoch: 'e', offset: 1 } });
  assert.equal(socket.sent.length, 0, 'asked for when it is read');
  const first = history.next();
  const { id, topic, limit, since } = socket.last('history');
  assert.deepEqual([topic, limit, since], ['a', 5, { epoch: 'e', offset: 1 }]);
  const item = (offset) => ({ type: 'history_item', id, topic: 'a', payload: offset, epoch: 'e', offset, sent_at: 1 });
  await socket.say(item(2), item(3));
  assert.deepEqual((await first).value, { topic: 'a', payload: 2, epoch: 'e', offset: 2, sentAt: 1 });
  await socket.say(item(4), { type: 'history_end', id, complete: true });
  const rest = [];
  for await (const { offset } of history) rest.push(offset);
  assert.deepEqual([rest, history.complete], [[3, 4], true]);
  assert.equal(socket.frames('cancel').length, 0);
});

test('a loop that is left tells the server to stop', async (t) => {
  const world = new World(t);
  const socket = await world.online();
  const loop = (async () => { for await (const { offset } of world.client.history('a')) if (offset === 1) break; })();
  await settle();
  const { id } = socket.last('history');
  await socket.say({ type: 'history_item', id, topic: 'a', payload: 1, epoch: 'e', offset: 1, sent_at: 1 });
  await loop;
  assert.deepEqual(socket.last('cancel'), { type: 'cancel', target: id });
  await socket.say({ type: 'history_end', id, complete: false, cancelled: true });
  assert.deepEqual(world.events('error'), []);
});

test('several may wait for items at once, and each gets its own or the end', async (t) => {
  const world = new World(t);
  const socket = await world.online();
  const history = world.client.history('a');
  const seen = [];
  for (let i = 0; i < 4; ++i) history.next().then(({ done, value }) => seen.push(done ? 'end' : value.offset));
  await settle();
  const { id } = socket.last('history');
  const item = (offset) => ({ type: 'history_item', id, topic: 'a', payload: offset, epoch: 'e', offset, sent_at: 1 });
  await socket.say(item(1));
  assert.deepEqual(seen, [1]);
  await socket.say(item(2), { type: 'history_end', id, complete: true });
  assert.deepEqual(seen, [1, 2, 'end', 'end']);
});

test('leaving a history ends whoever still waits for an item of it', async (t) => {
  const world = new World(t);
  const socket = await world.online();
  const history = world.client.history('a');
  let waiting;
  history.next().then((result) => { waiting = result; });
  await history.return();
  await settle();
  assert.deepEqual(waiting, { done: true, value: undefined });
  assert.equal(socket.frames('cancel').length, 1);
});

test('a history may take long as long as items come; then its time is over, and the server is told', async (t) => {
  const world = new World(t, { pingIntervalMs: 1e9 });
  const socket = await world.online();
  const seen = [];
  const loop = quiet((async () => { for await (const { offset } of world.client.history('a')) seen.push(offset); })());
  await settle();
  const { id } = socket.last('history');
  for (let offset = 1; offset <= 3; ++offset) {
    await world.pass(9000);
    await socket.say({ type: 'history_item', id, topic: 'a', payload: 1, epoch: 'e', offset, sent_at: 1 });
  }
  await world.pass(9999);
  assert.equal(socket.frames('cancel').length, 0);
  await world.pass(1);
  await assert.rejects(loop, { code: 'timeout' });
  assert.deepEqual([seen, socket.frames('cancel')], [[1, 2, 3], [{ type: 'cancel', target: id }]]);
});

test('the history of a client that is closed says so each time', async (t) => {
  const world = new World(t);
  const history = world.client.history('a');
  world.client.close();
  await assert.rejects(history.next(), { code: 'closed' });
  await assert.rejects(history.next(), { code: 'closed' });
});

for (const [name, happen, code] of [
  ['refused', (socket, id) => socket.say({ type: 'error', id, code: 'forbidden', message: 'no' }), 'forbidden'],
  ['cut off', (socket) => socket.end(), 'disconnected'],
]) {
  test(`a history that is ${name} gives what came and then throws`, async (t) => {
    const world = new World(t);
    const socket = await world.online();
    const seen = [];
    const loop = quiet((async () => { for await (const { offset } of world.client.history('a')) seen.push(offset); })());
    await settle();
    const { id } = socket.last('history');
    await socket.say({ type: 'history_item', id, topic: 'a', payload: 1, epoch: 'e', offset: 1, sent_at: 1 });
    await happen(socket, id);
    await assert.rejects(loop, { code });
    assert.deepEqual(seen, [1]);
  });
}

test('members: pages and the changes meanwhile make one set; later changes and another connection are told as changes', async (t) => {
  const world = new World(t);
  const socket = await world.online();
  const changes = [];
  const members = world.client.members('room', ({ joined, left }) => changes.push([joined, left]));
  await settle();
  assert.equal(socket.last('subscribe').presence, true);
  await socket.confirm({ room: 0 });
  const page = (on, users, next) => on.answer('presence', { type: 'presence_state', count: 3, users, ...(next ? { next } : {}) });
  assert.equal(socket.last('presence').after, undefined);
  await page(socket, ['ann', 'bob'], 'bob');
  await socket.say({ type: 'presence_changed', topic: 'room', joined: ['dan'], left: ['ann'] });
  assert.equal(socket.last('presence').after, 'bob');
  await page(socket, ['cat']);
  await members.ready;
  assert.deepEqual([...members.users], ['bob', 'cat', 'dan']);
  await socket.say({ type: 'presence_changed', topic: 'room', joined: ['dan', 'eve'], left: ['bob', 'nobody'] });
  assert.deepEqual(changes, [[['bob', 'cat', 'dan'], []], [['eve'], ['bob']]]);

  const next = await world.reconnect();
  await next.confirm({ room: 0 });
  await page(next, ['cat', 'eve', 'fay']);
  assert.deepEqual(changes.at(-1), [['fay'], ['dan']]);
});

for (const [name, refuse, waitMs] of [
  ['refused for now, with a time', (socket) => socket.answer('presence', { type: 'error', code: 'overloaded', message: 'later', retry_after_ms: 2000 }), 2000],
  ['refused for now, without one', (socket) => socket.answer('presence', { type: 'error', code: 'internal', message: 'later' }), 499],
]) {
  test(`members: a page that is ${name}, is asked for again, and what was told meanwhile counts`, async (t) => {
    const world = new World(t);
    const socket = await world.online();
    const members = world.client.members('room');
    await settle();
    await socket.confirm({ room: 0 });
    await socket.answer('presence', { type: 'presence_state', count: 3, users: ['ann', 'bob'], next: 'bob' });
    await refuse(socket);
    await socket.say({ type: 'presence_changed', topic: 'room', joined: ['dan'], left: ['ann'] });
    await world.pass(waitMs - 1);
    assert.equal(socket.frames('presence').length, 2);
    await world.pass(1);
    assert.deepEqual(socket.frames('presence').map(({ after }) => after), [undefined, 'bob', 'bob']);
    await socket.answer('presence', { type: 'presence_state', count: 3, users: ['cat'] });
    assert.deepEqual([[...members.users], world.events('error')], [['bob', 'cat', 'dan'], []]);
    await members.ready;
  });
}

test('members: a page without an answer in time is asked for again', async (t) => {
  const world = new World(t, { timeoutMs: 3000 });
  const socket = await world.online();
  const members = world.client.members('room');
  await settle();
  await socket.confirm({ room: 0 });
  await world.pass(3000);
  await world.pass(499);
  assert.equal(socket.frames('presence').length, 2);
  await socket.answer('presence', { type: 'presence_state', count: 1, users: ['ann'] });
  assert.deepEqual([...members.users], ['ann']);
});

for (const [name, end, asked] of [
  ['another connection reads them anew', async ({ world }) => { await (await world.reconnect()).confirm({ room: 0 }); }, 1],
  ['close() ends it', async ({ members }) => members.close(), 0],
]) {
  test(`members: while a page waits to be asked for again, ${name}`, async (t) => {
    const world = new World(t, { pingIntervalMs: 1e9, timeoutMs: 1e9 });
    const members = world.client.members('room');
    const first = await world.online();
    await first.confirm({ room: 0 });
    await first.answer('presence', { type: 'error', code: 'overloaded', message: 'later', retry_after_ms: 70_000 });
    await end({ world, members });
    await world.pass(70_000);
    assert.equal(world.sockets.flatMap((socket) => socket.frames('presence')).length, 1 + asked);
  });
}

test('members: after a page that is refused for good, changes are still told', async (t) => {
  const world = new World(t);
  const socket = await world.online();
  const changes = [];
  const members = world.client.members('room', (change) => changes.push(change));
  await settle();
  await socket.confirm({ room: 0 });
  await socket.answer('presence', { type: 'error', code: 'forbidden', message: 'no' });
  await assert.rejects(members.ready, { code: 'forbidden' });
  assert.deepEqual(world.events('error').map(({ code }) => code), ['forbidden']);
  await socket.say({ type: 'presence_changed', topic: 'room', joined: ['ann'], left: [] });
  assert.deepEqual(changes, [{ joined: ['ann'], left: [] }]);
});

const later = { type: 'error', code: 'overloaded', message: 'later' };
for (const [when, prepare] of [
  ['before the confirmation', () => {}],
  ['while a page is read', (socket) => socket.confirm({ room: 0 })],
  ['while a page waits to be asked for again', async (socket) => { await socket.confirm({ room: 0 }); await socket.answer('presence', later); }],
]) {
  for (const [name, end, code] of [
    ['its close()', async ({ members }) => members.close(), 'closed'],
    ['the end of the client', async ({ world }) => world.client.close(), 'closed'],
    ['the last token', ({ socket }) => socket.end(4001), 'unauthorized'],
  ]) {
    test(`members: ${name} ${when} is what \`ready\` fails with`, async (t) => {
      const world = new World(t, { token: ({ fresh }) => (fresh ? null : 'tok') });
      const members = world.client.members('room');
      let outcome = 'none';
      members.ready.then(() => { outcome = 'ready'; }, (error) => { outcome = error.code; });
      const socket = await world.online();
      await prepare(socket);
      await end({ world, socket, members });
      await world.pass(500);
      assert.deepEqual([outcome, world.events('error')], [code, []]);
    });
  }
}

test('members: a page that comes when the next connection reads them already makes nothing ready', async (t) => {
  const world = new World(t);
  const members = world.client.members('room');
  let ready = false;
  members.ready.then(() => { ready = true; });
  await (await world.online()).confirm({ room: 0 });
  await world.socket.end();
  await world.pass(500);
  await world.socket.welcome();
  const { socket } = world;
  await socket.confirm({ room: 0 });
  const [{ id: early }, { id: late }] = socket.frames('presence');
  await socket.say({ type: 'presence_state', id: early, count: 1, users: ['ann'] });
  assert.equal(ready, false);
  await socket.say({ type: 'presence_state', id: late, count: 1, users: ['bob'] });
  assert.deepEqual([ready, [...members.users]], [true, ['bob']]);
});

test('members: a second set of the same topic becomes ready as well', async (t) => {
  const world = new World(t);
  const socket = await world.online();
  const page = (...users) => socket.answer('presence', { type: 'presence_state', count: users.length, users });
  const first = world.client.members('room');
  await settle();
  await socket.confirm({ room: 0 });
  await page('ann');
  const second = world.client.members('room');
  await settle();
  await page('ann', 'bob'); // bob's coming is not told yet
  await second.ready;
  await socket.say({ type: 'presence_changed', topic: 'room', joined: ['bob'], left: [] });
  assert.deepEqual([[...first.users], [...second.users]], [['ann', 'bob'], ['ann', 'bob']]);
  assert.equal(socket.frames('subscribe').length, 1);
});

test('a second handler of the inbox takes the place of the first, whose end is then nothing', async (t) => {
  const world = new World(t);
  const seen = [];
  const handler = ({ payload }) => { seen.push(payload); };
  const endFirst = world.client.inbox(handler);
  const endSecond = world.client.inbox(handler);
  const socket = await world.online();
  const direct = (offset) => ({ type: 'direct', from: 'v', payload: offset, message_id: `${offset}`, offset, sent_at: 1 });
  endFirst();
  await socket.say(direct(1));
  endSecond();
  await socket.say(direct(2));
  assert.deepEqual(seen, [1]);
});

test('the inbox: one after the other, each once, received when its handler is done', async (t) => {
  const world = new World(t);
  const direct = (offset, more = {}) => ({ type: 'direct', from: 'ann', message_id: `m${offset}`, epoch: 'e', offset, payload: offset, sent_at: 1, ...more });
  let socket = await world.online();
  await socket.say(direct(1), direct(2)); // nobody handles yet
  assert.equal(socket.frames('received').length, 0);
  const seen = [];
  let done;
  world.client.inbox(async ({ payload }) => {
    seen.push(payload);
    await new Promise((finish) => { done = finish; });
  });
  await settle();
  assert.deepEqual([seen, socket.frames('received').length], [[1], 0], 'the second waits for the first');
  done();
  await settle();
  assert.deepEqual([seen, socket.last('received')], [[1, 2], { type: 'received', epoch: 'e', offset: 1 }]);

  socket = await world.reconnect(); // while the second is being handled
  await socket.say(direct(2), direct(3));
  assert.deepEqual(seen, [1, 2]);
  done();
  await settle();
  assert.deepEqual(seen, [1, 2, 3], 'the second is not handled again');
  assert.deepEqual(socket.frames('received').map(({ offset }) => offset), [2]);
});

test('without a handler the newest 1000 direct messages wait for one, and what was dropped comes with the next connection', async (t) => {
  const world = new World(t);
  const all = Array.from({ length: 1002 }, (_, at) => (
    { type: 'direct', from: 'ann', message_id: `m${at + 1}`, offset: at + 1, payload: at + 1, sent_at: 1 }));
  const seen = [];
  let socket = await world.online();
  await socket.say(...all);
  world.client.inbox(({ payload }) => { seen.push(payload); });
  await settle();
  assert.deepEqual([seen.length, seen[0], seen.at(-1)], [1000, 3, 1002]);
  assert.equal(socket.frames('received').length, 0, 'it would speak for the first two');
  socket = await world.reconnect();
  await socket.say(...all);
  assert.deepEqual(seen.slice(1000), [1, 2], 'the others are known');
  assert.equal(socket.last('received').offset, 1002);
});

test('after a message whose handler failed, nothing is received until it has come again', async (t) => {
  const world = new World(t);
  const direct = (offset) => ({ type: 'direct', from: 'ann', message_id: `m${offset}`, offset, payload: offset, sent_at: 1 });
  let fails = true;
  const seen = [];
  world.client.inbox(({ payload }) => {
    seen.push(payload);
    if (payload === 2 && fails) throw new Error('full');
  });
  let socket = await world.online();
  await socket.say(direct(1), direct(2), direct(3));
  assert.deepEqual([seen, socket.frames('received').map(({ offset }) => offset)], [[1, 2, 3], [1]]);
  assert.deepEqual(world.events('error').map(({ message }) => message), ['full']);
  fails = false;
  socket = await world.reconnect();
  await socket.say(direct(2), direct(3));
  assert.deepEqual([seen, socket.frames('received').map(({ offset }) => offset)], [[1, 2, 3, 2], [2, 3]]);
});
