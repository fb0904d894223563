// Who asks for a topic, asks for more of it, and leaves: what the others keep, and what the server is told.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { gap, listen, restarted } from './lib/listen.js';
import { World, message, settle } from './lib/world.js';

test('unsubscribing: the last of several handlers ends it, and what still comes is nobody\'s', async (t) => {
  const world = new World(t);
  const [one, two] = [listen(world, 'a'), listen(world, 'a')];
  const socket = await world.online();
  await socket.confirm({ a: 0 });
  one.subscription.unsubscribe();
  one.subscription.unsubscribe();
  await socket.say(message('a', 1));
  assert.equal(socket.frames('unsubscribe').length, 0);
  two.subscription.unsubscribe();
  await socket.say(message('a', 2));
  assert.deepEqual(socket.last('unsubscribe').topics, ['a']);
  assert.deepEqual([[...one], [...two]], [['subscribed'], ['subscribed', '1']]);
  const again = listen(world, 'a');
  await settle();
  assert.equal(socket.last('subscribe').recover, undefined, 'a new beginning');
  await socket.say(message('a', 3));
  await socket.confirm({ a: 3 });
  assert.deepEqual([...again], ['subscribed']);
});

test('an unsubscribe that was lost with its socket is said again where the session goes on', async (t) => {
  const world = new World(t);
  const log = listen(world, 'a');
  await (await world.online()).confirm({ a: 0 });
  log.subscription.unsubscribe();
  let socket = await world.reconnect({ resumed: true });
  assert.deepEqual(socket.last('unsubscribe').topics, ['a']);
  await socket.say(gap('a', 1, 2), restarted({ topic: 'a', epoch: 'f', offset: 0 }));
  assert.deepEqual([world.events('gap'), world.events('lost')], [[], []], 'it is no inbox');
  listen(world, 'a');
  await settle();
  socket = await world.reconnect({ resumed: true });
  assert.equal(socket.frames('unsubscribe').length, 0, 'it is wanted again');
  assert.equal((await world.reconnect()).frames('unsubscribe').length, 0);
});

test('an unsubscribe that a new session makes needless is not said again', async (t) => {
  const world = new World(t);
  const log = listen(world, 'a');
  await (await world.online()).confirm({ a: 0 });
  log.subscription.unsubscribe();
  await world.reconnect();
  assert.equal((await world.reconnect({ resumed: true })).frames('unsubscribe').length, 0);
  assert.equal(world.sockets[1].frames('unsubscribe').length, 0);
});

for (const code of ['rate_limited', 'overloaded', 'internal']) {
  test(`an unsubscribe that is answered ${code} is said again after a while`, async (t) => {
    const world = new World(t);
    const log = listen(world, 'a');
    const socket = await world.online();
    await socket.confirm({ a: 0 });
    log.subscription.unsubscribe();
    await socket.answer('unsubscribe', { type: 'error', code, message: 'later', retry_after_ms: 2000 });
    await world.pass(1999);
    assert.equal(socket.frames('unsubscribe').length, 1);
    await world.pass(1);
    assert.deepEqual(socket.frames('unsubscribe').map(({ topics }) => topics), [['a'], ['a']]);
    await socket.answer('unsubscribe', { type: 'unsubscription_confirmed', topics: ['a'] });
    await world.pass(9000);
    assert.equal(socket.frames('unsubscribe').length, 2);
  });
}

test('presence asked for and all unsubscribed in one turn: what was there before ends at the server', async (t) => {
  const world = new World(t);
  const log = listen(world, 'a');
  const socket = await world.online();
  await socket.confirm({ a: 0 });
  const late = listen(world, 'a', { presence: true });
  log.subscription.unsubscribe();
  late.subscription.unsubscribe();
  assert.deepEqual(socket.last('unsubscribe')?.topics, ['a']);
});

test('what the server takes away is told and not asked for again', async (t) => {
  const world = new World(t);
  const log = listen(world, 'a');
  const socket = await world.online();
  await socket.confirm({ a: 0 });
  await socket.say({ type: 'unsubscribed', topics: ['a'], reason: 'no permission' });
  assert.deepEqual([...log], ['subscribed', 'unsubscribed no permission']);
  assert.deepEqual(world.events('unsubscribed').map(({ topic, reason }) => [topic, reason]), [['a', 'no permission']]);
  assert.equal((await world.reconnect()).frames('subscribe').length, 0);
});

test('who subscribes to what is there already is told so in the next moment, unless it has gone by then', async (t) => {
  const world = new World(t);
  listen(world, 'a');
  const socket = await world.online();
  await socket.confirm({ a: 5 });
  const [late, gone] = [listen(world, 'a'), listen(world, 'a')];
  gone.subscription.unsubscribe();
  assert.deepEqual([...late], []);
  await late.subscription.ready;
  assert.deepEqual([[...late], [...gone]], [['subscribed'], []]);
});

test('presence asked for later: asked from where one is, so that nothing is missed meanwhile', async (t) => {
  const world = new World(t);
  const log = listen(world, 'a');
  const socket = await world.online();
  await socket.confirm({ a: 5 });
  const late = listen(world, 'a', { presence: true });
  await settle();
  const { presence, recover } = socket.last('subscribe');
  assert.deepEqual([presence, recover], [true, { a: { epoch: 'e', offset: 5 } }]);
  await socket.confirm({ a: { epoch: 'e', offset: 6, recovered: true } });
  await socket.say(message('a', 6), { type: 'presence_changed', topic: 'a', joined: ['ann'], left: [] });
  assert.deepEqual([[...log], [...late]], [['subscribed', 'recovered', '6', '+ann -'], ['recovered', '6', '+ann -']]);
});

test('each subscription of a topic ends at its own position, also where presence was asked for later', async (t) => {
  const world = new World(t);
  const one = listen(world, 'a').subscription;
  const socket = await world.online();
  await socket.confirm({ a: 5 });
  const two = listen(world, 'a', { presence: true }).subscription;
  await settle();
  await socket.confirm({ a: { epoch: 'e', offset: 5, recovered: true } });
  await socket.say(message('a', 6));
  one.unsubscribe();
  await socket.say(message('a', 7));
  two.unsubscribe();
  listen(world, 'a');
  await settle();
  await socket.confirm({ a: 9 });
  assert.deepEqual([one.position, two.position], [{ epoch: 'e', offset: 6 }, { epoch: 'e', offset: 7 }]);
});

test('presence that is refused ends who asked for it; the others go on from where they were', async (t) => {
  const world = new World(t);
  const log = listen(world, 'a');
  const socket = await world.online();
  await socket.confirm({ a: 5 });
  const late = listen(world, 'a', { presence: true });
  const third = listen(world, 'a');
  await settle();
  await socket.say(message('a', 6));
  await socket.answer('subscribe', { type: 'error', code: 'forbidden', message: 'no presence here' });
  await assert.rejects(late.subscription.ready, { code: 'forbidden' });
  const { presence, recover } = socket.last('subscribe');
  assert.deepEqual([presence, recover], [undefined, { a: { epoch: 'e', offset: 5 } }]);
  await socket.confirm({ a: { epoch: 'e', offset: 6, recovered: true } });
  await socket.say(message('a', 6), message('a', 7));
  await third.subscription.ready;
  assert.deepEqual([log, late, third].map((each) => [...each]),
                   [['subscribed', 'recovered', '6', '7'], ['unsubscribed forbidden'], ['recovered', '6', '7']]);
  assert.equal(socket.frames('unsubscribe').length, 0);
  late.subscription.unsubscribe();
  assert.equal(socket.frames('unsubscribe').length, 0, 'it is no more');
  assert.equal((await world.reconnect()).frames('subscribe').length, 1);
});

test('presence that is refused where nobody else is left: what was there before ends at the server', async (t) => {
  const world = new World(t);
  const log = listen(world, 'a');
  const socket = await world.online();
  await socket.confirm({ a: 5 });
  const late = listen(world, 'a', { presence: true });
  await settle();
  log.subscription.unsubscribe();
  await socket.answer('subscribe', { type: 'error', code: 'forbidden', message: 'no presence here' });
  assert.deepEqual([...late], ['unsubscribed forbidden']);
  assert.deepEqual(socket.frames('unsubscribe').map(({ topics }) => topics), [['a']]);
  assert.equal(socket.frames('subscribe').length, 2);
});

test('a topic that is refused with presence and without ends for all, once', async (t) => {
  const world = new World(t);
  const logs = [listen(world, 'a', { presence: true }), listen(world, 'a')];
  const socket = await world.online();
  const no = { type: 'error', code: 'forbidden', message: 'no' };
  await socket.answer('subscribe', no);
  await socket.answer('subscribe', no);
  await assert.rejects(logs[1].subscription.ready, { code: 'forbidden' });
  assert.deepEqual(logs.map((log) => [...log]), [['unsubscribed forbidden'], ['unsubscribed forbidden']]);
  assert.deepEqual(['subscribe', 'unsubscribe'].map((type) => socket.frames(type).length), [2, 0]);
});

test('presence asked for before the first confirmation: that one is nobody\'s, the second counts', async (t) => {
  const world = new World(t);
  const log = listen(world, 'a');
  const socket = await world.online();
  const first = socket.last('subscribe').id;
  const late = listen(world, 'a', { presence: true });
  await settle();
  await socket.say({ type: 'subscription_confirmed', id: first, topics: [{ topic: 'a', epoch: 'e', offset: 5, recovered: false }] });
  assert.deepEqual([[...log], [...late]], [[], []]);
  await socket.confirm({ a: 5 });
  await Promise.all([log.subscription.ready, late.subscription.ready]);
  await socket.say(message('a', 6));
  assert.deepEqual([[...log], [...late]], [['subscribed', '6'], ['subscribed', '6']]);
});

test('a subscription or a listener that another one ends during an event is not called any more', async (t) => {
  const world = new World(t);
  const log = [];
  const one = world.client.subscribe('a', ({ offset }) => { log.push(`one ${offset}`); two.unsubscribe(); });
  const two = world.client.subscribe('a', ({ offset }) => log.push(`two ${offset}`));
  world.client.subscribe('a', ({ offset }) => log.push(`three ${offset}`));
  world.client.on('gap', () => { log.push('first'); off(); });
  const off = world.client.on('gap', () => log.push('second'));
  const socket = await world.online();
  await socket.confirm({ a: 0 });
  await socket.say(message('a', 1));
  one.unsubscribe();
  await socket.say(gap('a', 2, 2));
  assert.deepEqual(log, ['one 1', 'three 1', 'first']);
});
