// The connection: states, tokens, waits, heartbeat, drain, sessions. The server is the test; time is moved by hand.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { Client, TroupeError } from '../dist/index.js';
import { World, quiet, settle } from './lib/world.js';

test('connect offers the token as a subprotocol and resolves with the welcome', async (t) => {
  const world = new World(t, { token: 'tok' });
  const first = world.client.connect();
  await settle();
  assert.equal(world.socket.url.href, 'ws://server/ws');
  assert.deepEqual(world.socket.protocols, ['troupe.v1', 'bearer.tok']);
  await world.socket.welcome();
  assert.deepEqual(await first, { connectionId: 'c1', user: 'u', resumed: false });
  assert.deepEqual(world.states, ['connecting', 'online']);
  assert.equal(world.client.connect(), world.client.connect(), 'once is enough');
});

test('without a token it is anonymous, and http becomes ws', async (t) => {
  const world = new World(t);
  await world.online();
  assert.deepEqual(world.socket.protocols, ['troupe.v1']);
  const client = new Client('https://server/ws', { WebSocket: class { constructor(url) { assert.equal(url, 'wss://server/ws'); } close() {} } });
  client.connect().catch(() => {});
  await settle();
  client.close();
});

test('a platform without WebSocket is told at once', { skip: globalThis.WebSocket !== undefined }, () => {
  assert.throws(() => new Client('ws://server/ws'), /no WebSocket/);
});

test('each failed try waits longer, up to the bound, and a stable connection begins anew', async (t) => {
  const world = new World(t, { backoff: { baseMs: 500, maxMs: 4000 } });
  world.client.connect();
  await settle();
  const waits = [];
  for (let i = 0; i < 6; ++i) {
    await world.socket.end();
    waits.push(world.events('state').at(-1).retryInMs);
    await world.pass(waits.at(-1) - 1);
    assert.equal(world.sockets.length, i + 1, 'not earlier');
    await world.pass(1);
    assert.equal(world.sockets.length, i + 2);
  }
  assert.deepEqual(waits, [499, 999, 1999, 3999, 3999, 3999]);
  await world.socket.welcome();
  await world.pass(9_000);
  await world.socket.end();
  assert.equal(world.events('state').at(-1).retryInMs, 3999, 'nine seconds prove nothing');
  await world.pass(4000);
  await world.socket.welcome();
  await world.pass(10_000);
  await world.socket.end();
  assert.equal(world.events('state').at(-1).retryInMs, 499);
});

for (const [name, code, online, fresh] of [
  ['4001 asks for a fresh token', 4001, true, true],
  ['1008 asks for a fresh token', 1008, true, true],
  ['a handshake that failed asks for a fresh token, for it may have been the reason', 1006, false, true],
  ['a lost socket does not', 1006, true, false],
  ['4002 does not', 4002, true, false],
]) {
  test(name, async (t) => {
    const asked = [];
    const world = new World(t, { token: (why) => { asked.push(why.fresh); return `t${asked.length}`; } });
    world.client.connect();
    await settle();
    if (online) await world.socket.welcome();
    await world.socket.end(code);
    await world.pass(500);
    assert.deepEqual(asked, [false, fresh]);
    assert.equal(world.socket.protocols[1], 'bearer.t2');
  });
}

for (const [name, token] of [['a text', 'same'], ['a function', () => 'same']]) {
  test(`a token that was refused and comes again ends the client (${name})`, async (t) => {
    const world = new World(t, { token });
    await world.online();
    await world.socket.end(4001);
    await world.pass(500);
    assert.equal(world.client.state, 'closed');
    assert.equal(world.events('state').at(-1).error.code, 'unauthorized');
  });
}

test('where there is no token any more, the client ends', async (t) => {
  const world = new World(t, { token: () => null });
  await assert.rejects(world.client.connect(), { code: 'unauthorized' });
});

test('a token function that fails is tried again after a wait', async (t) => {
  let tries = 0;
  const world = new World(t, { token: async () => { if (++tries < 3) throw new Error('no network'); return 'tok'; } });
  world.client.connect();
  await world.pass(499);
  await world.pass(999);
  assert.deepEqual(world.events('error').map((error) => error.message), ['no network', 'no network']);
  await world.socket.welcome();
  assert.equal(world.client.state, 'online');
});

test('token_expiring: a fresh token is given on the open connection', async (t) => {
  let count = 0;
  const world = new World(t, { token: ({ fresh }) => `${fresh ? 'fresh' : 'first'}${++count}` });
  const socket = await world.online();
  await socket.say({ type: 'token_expiring', expires_at: 1 });
  assert.equal(socket.last('authenticate').token, 'fresh2');
  await socket.answer('authenticate', { type: 'authenticated', user: 'u' });
  await socket.say({ type: 'token_expiring', expires_at: 2 });
  assert.equal(socket.last('authenticate').token, 'fresh2', 'not twice within a second');
  await world.pass(1000);
  assert.equal(socket.last('authenticate').token, 'fresh3');
  await socket.answer('authenticate', { type: 'error', code: 'unauthorized', message: 'no' });
  assert.deepEqual(world.events('error').map(({ code }) => code), ['unauthorized']);
  assert.deepEqual([world.client.state, world.sockets.length], ['online', 1]);
});

for (const [name, token] of [['a text', 'same'], ['a function with a cache', () => 'same']]) {
  test(`token_expiring: the token that the server has already is not shown again (${name})`, async (t) => {
    const world = new World(t, { token });
    const socket = await world.online();
    await socket.say({ type: 'token_expiring', expires_at: 1 });
    await world.pass(60_000);
    assert.deepEqual(socket.frames('authenticate'), []);
    assert.equal(world.client.state, 'online');
  });
}

test('token_expiring: a source that fails, or has no newer token yet, is asked again while the connection lasts', async (t) => {
  const gives = [() => 'old', () => { throw new Error('busy'); }, () => 'old', () => 'new'];
  let asked = 0;
  const world = new World(t, { token: () => gives[asked++]() });
  const socket = await world.online();
  await socket.say({ type: 'token_expiring', expires_at: 1 });
  await socket.say({ type: 'token_expiring', expires_at: 1 });
  assert.equal(asked, 2, 'one at a time');
  await world.pass(1000);
  await world.pass(1000);
  assert.equal(socket.last('authenticate').token, 'new');
  assert.deepEqual(world.events('error').map(({ message }) => message), ['busy']);
  await socket.answer('authenticate', { type: 'authenticated', user: 'u' });
  await world.pass(60_000);
  assert.equal(asked, 4);
});

test('token_expiring: a cache that has its next token five seconds before the end is asked in time, whatever our clock says', async (t) => {
  const clock = 1e9; // that of the server, when ours begins
  let asked = 0;
  const world = new World(t, { pingIntervalMs: 1e6, token: () => { ++asked; return Date.now() < 55_000 ? 'old' : 'new'; } });
  const socket = await world.online({ server_time: clock });
  await socket.say({ type: 'token_expiring', expires_at: clock + 60_000 });
  for (let second = 1; second < 60; ++second) await world.pass(1000);
  assert.equal(socket.last('authenticate')?.token, 'new');
  assert.ok(asked < 15, `asked ${asked} times`);
});

test('token_expiring: tokens of twelve seconds are a handful of frames, also where the server warns again at once', async (t) => {
  let count = 0;
  const world = new World(t, { token: () => `t${++count}` });
  const socket = await world.online({ server_time: Date.now() });
  const warn = () => socket.say({ type: 'token_expiring', expires_at: Date.now() + 12_000 });
  await warn();
  for (let second = 0; second < 60; ++second) {
    const { id } = socket.last('authenticate');
    await socket.say({ id, type: 'authenticated', user: 'u' });
    await warn();
    await world.pass(1000);
  }
  const shown = socket.frames('authenticate').length;
  assert.ok(shown >= 5 && shown <= 11, `${shown} in a minute`);
});

test('token_expiring: a refresh of a connection that was lost says nothing on the next one', async (t) => {
  let asked = 0;
  const world = new World(t, { token: () => `t${Math.min(++asked, 2)}` });
  const socket = await world.online();
  await socket.say({ type: 'token_expiring', expires_at: 1 });
  assert.equal(socket.last('authenticate').token, 't2');
  const next = await world.reconnect();
  await world.pass(60_000);
  assert.deepEqual(next.frames('authenticate'), []);
  await next.say({ type: 'token_expiring', expires_at: 2 });
  assert.deepEqual(next.frames('authenticate'), [], 'it was opened with t2');
});

for (const [name, options, end] of [
  ['a token that is no token', { token: 'nonsense' }, (socket) => socket.refuse(401)],
  ['none where one is needed', {}, (socket) => socket.refuse(401)],
  ['none in time where one is needed', {}, (socket) => socket.end(1008, 'no token came in time')],
]) {
  test(`a client that the server will never let in ends, and says why (${name})`, async (t) => {
    const world = new World(t, options);
    const first = quiet(world.client.connect());
    await settle();
    await end(world.socket);
    await world.pass(500);
    await assert.rejects(first, { code: 'unauthorized' });
    assert.equal(world.client.state, 'closed');
    assert.equal(world.sockets.length, 1);
  });
}

for (const [name, token] of [['a text', 'tok'], ['none', undefined]]) {
  test(`401 in the name of a host that cannot be reached is no refusal (${name})`, async (t) => {
    const world = new World(t, { token });
    quiet(world.client.connect());
    await settle();
    for (const message of ['getaddrinfo ENOTFOUND room-401.example', 'connect ECONNREFUSED 10.0.0.1:401']) {
      await world.socket.fail(message);
      await world.pass(1);
      await world.pass(1000);
    }
    assert.equal(world.sockets.length, 3);
    await world.socket.welcome();
    assert.equal(world.client.state, 'online');
  });
}

test('why there is no connection yet is told once as an error, and each time with the state', async (t) => {
  const world = new World(t);
  quiet(world.client.connect());
  await settle();
  for (let i = 0; i < 3; ++i) {
    await world.socket.refuse(503);
    await world.pass(4000);
  }
  assert.deepEqual(world.events('error').map(({ code, message }) => [code, message.includes('503')]), [['disconnected', true]]);
  assert.deepEqual(world.events('state').filter(({ state }) => state === 'waiting').map(({ reason }) => reason.includes('503')), [true, true, true]);
});

test('a handshake that failed is over also where no close follows the error, and a close that does follow says more', async (t) => {
  const world = new World(t);
  quiet(world.client.connect());
  await settle();
  await world.socket.fail('no such host');
  await world.pass(1);
  const { state, reason } = world.events('state').at(-1);
  assert.deepEqual([state, reason], ['waiting', 'no such host']);
  await world.pass(500);
  const { socket } = world;
  socket.fail('it failed');
  await socket.end(1002, 'bad');
  await world.pass(1);
  assert.deepEqual(world.events('state').filter((event) => event.state === 'waiting').map(({ code }) => code), [1006, 1002]);
});

test('an error of a connection that stands is not its end', async (t) => {
  const world = new World(t);
  const socket = await world.online();
  await socket.fail('strange');
  await world.pass(1);
  assert.equal(world.client.state, 'online');
  await socket.end(1002);
  const { code, reason } = world.events('state').at(-1);
  assert.deepEqual([code, reason], [1002, 'strange']);
});

for (const [name, token, said, tries] of [
  ['a text', 'a b', /character/, 1],
  ['an empty text', '', /empty/, 1],
  ['a function that gives it twice', () => 'tok\n', /character/, 2],
]) {
  test(`a token that no socket can bear ends the client, and is named as the reason (${name})`, async (t) => {
    const world = new World(t, { token });
    const first = quiet(world.client.connect());
    await settle();
    await world.pass(500);
    await assert.rejects(first, { code: 'unauthorized', message: said });
    assert.equal(world.sockets.length, 0);
    assert.equal(world.states.filter((state) => state === 'connecting').length, tries);
  });
}

test('a function that gives a token which no socket can bear is asked for another one', async (t) => {
  const gives = ['<html>', 'tok\n', 'tok'];
  const asked = [];
  const world = new World(t, { token: ({ fresh }) => { asked.push(fresh); return gives.shift(); } });
  const first = world.client.connect();
  await world.pass(500);
  await world.pass(1000);
  assert.deepEqual(asked, [false, true, true]);
  assert.equal(world.socket.protocols[1], 'bearer.tok');
  await world.socket.welcome();
  await first;
  assert.ok(world.events('error').length === 2 && world.events('error').every(({ message }) => /character/.test(message)));
});

test('connect() ends a wait, and resolves with the next welcome', async (t) => {
  const world = new World(t);
  const first = world.client.connect();
  await settle();
  await world.socket.welcome();
  await world.socket.end();
  assert.equal(world.client.state, 'waiting');
  const again = world.client.connect();
  assert.notEqual(again, first);
  await settle();
  assert.equal(world.sockets.length, 2);
  await world.socket.welcome({ connection_id: 'c2' });
  assert.equal((await again).connectionId, 'c2');
  assert.equal((await world.client.connect()).connectionId, 'c2');
});

test('in a page the network that comes back ends a wait, until the client is closed', async (t) => {
  const page = new EventTarget();
  for (const name of ['addEventListener', 'removeEventListener']) {
    globalThis[name] = page[name].bind(page);
    t.after(() => { delete globalThis[name]; });
  }
  const world = new World(t);
  await world.online();
  page.dispatchEvent(new Event('online'));
  assert.equal(world.sockets.length, 1, 'a connection that stands is let be');
  await world.socket.end();
  page.dispatchEvent(new Event('online'));
  await settle();
  assert.equal(world.sockets.length, 2);
  world.client.close();
  page.dispatchEvent(new Event('online'));
  await settle();
  assert.equal(world.sockets.length, 2);
});

for (const [name, end] of [
  ['close()', (world) => world.client.close()],
  ['another connection', (world) => world.socket.end(4004)],
  ['a refusal', (world) => world.socket.refuse(401)],
]) {
  test(`a client that has ended leaves no listener in the page (${name})`, async (t) => {
    const listeners = new Set();
    Object.assign(globalThis, { addEventListener: (_, told) => listeners.add(told), removeEventListener: (_, told) => listeners.delete(told) });
    t.after(() => { delete globalThis.addEventListener; delete globalThis.removeEventListener; });
    const world = new World(t);
    quiet(world.client.connect());
    await settle();
    assert.equal(listeners.size, 1);
    await end(world);
    assert.deepEqual([world.client.state, listeners.size], ['closed', 0]);
  });
}

test('a token that comes when the connection is another one already opens nothing', async (t) => {
  const gives = [];
  const world = new World(t, { token: () => new Promise((give) => gives.push(give)) });
  world.client.connect();
  await settle();
  await world.pass(10_000); // the time to connect is over
  assert.equal(world.client.state, 'waiting');
  gives[0]('late');
  await settle();
  assert.equal(world.sockets.length, 0);
  await world.pass(500);
  gives[1]('now');
  await settle();
  assert.equal(world.socket.protocols[1], 'bearer.now');
});

test('a socket that is never welcomed is given up', async (t) => {
  const world = new World(t);
  world.client.connect();
  await settle();
  const { socket } = world;
  await world.pass(10_000);
  assert.ok(socket.closedBy);
  assert.equal(world.client.state, 'waiting');
  assert.equal(socket.onmessage, null, 'nobody listens to it any more');
});

test('silence is answered with a ping, and silence after that with another socket', async (t) => {
  const world = new World(t, { pongTimeoutMs: 5000 });
  const socket = await world.online();
  await world.pass(20_000);
  await socket.say({ type: 'pong' });
  await world.pass(24_999);
  assert.equal(socket.frames('ping').length, 0, 'what was heard counts from then');
  await world.pass(1);
  assert.equal(socket.frames('ping').length, 1);
  await socket.say({ type: 'pong' });
  await world.pass(5000);
  assert.equal(world.client.state, 'online');
  await world.pass(25_000);
  assert.equal(socket.frames('ping').length, 2);
  await world.pass(5000);
  const { state, code } = world.events('state').at(-1);
  assert.deepEqual([state, code], ['waiting', 4002]);
  assert.deepEqual(socket.closedBy, { code: 4000 }, 'so that the session stays');
});

test('draining: it comes back when the server asked for, not by its own wait', async (t) => {
  const world = new World(t);
  const socket = await world.online();
  await socket.say({ type: 'draining', reconnect_after_ms: 7000 });
  assert.deepEqual(world.events('draining'), [{ reconnectAfterMs: 7000 }]);
  assert.equal(world.client.state, 'online');
  await socket.end(1001);
  await world.pass(6999);
  assert.equal(world.sockets.length, 1);
  await world.pass(1);
  assert.equal(world.sockets.length, 2);
  await world.socket.end();
  assert.ok(world.events('state').at(-1).retryInMs < 7000, 'once only');
});

test('4004: another connection has taken the session over, and this client does not fight', async (t) => {
  const world = new World(t);
  await world.online();
  await world.socket.end(4004);
  assert.equal(world.events('state').at(-1).error.code, 'closed');
  await world.pass(60_000);
  assert.equal(world.sockets.length, 1);
});

test('4004 after a try that was given up: that one may have reached the server late, so it goes on with a session of its own', async (t) => {
  const world = new World(t, { connectTimeoutMs: 5_000 });
  world.client.subscribe('a', () => {});
  const first = await world.online();
  await first.confirm({ a: 3 });
  await first.end();
  await world.pass(1_000);
  assert.equal(world.socket.url.searchParams.get('session'), 's1');
  await world.pass(5_000);  // no answer: it is given up, and may be on its way all the same
  await world.pass(60_000);
  await world.socket.welcome({ session: 's1', resumed: true });
  await world.socket.end(4004);
  assert.equal(world.events('state').at(-1).state, 'waiting');
  await world.pass(60_000);
  assert.equal(world.socket.url.searchParams.get('session'), null);
  await world.socket.welcome({ session: 'other' });
  assert.deepEqual(world.socket.last('subscribe').recover, { a: { epoch: 'e', offset: 3 } });
  assert.deepEqual(world.events('error').map(({ code }) => code), []);
  await world.socket.end(4004);  // of this session there is no other socket
  assert.equal(world.events('state').at(-1).state, 'closed');
});

for (const stage of ['idle', 'connecting', 'online', 'waiting']) {
  test(`close while ${stage}: the socket ends with 1000, and all waiting with \`closed\``, async (t) => {
    const world = new World(t);
    const first = stage === 'idle' ? undefined : world.client.connect();
    const publication = quiet(world.client.publish('t', 1));
    await settle();
    if (stage === 'online') await world.socket.welcome();
    if (stage === 'waiting') await world.socket.end();
    world.client.close();
    world.client.close();
    await assert.rejects(publication, { code: 'closed' });
    if (stage === 'connecting' || stage === 'waiting') await assert.rejects(first, { code: 'closed' });
    if (stage === 'online') assert.deepEqual(world.socket.closedBy, { code: 1000 });
    await world.pass(60_000);
    assert.ok(world.sockets.length <= 1);
    assert.equal(world.states.filter((state) => state === 'closed').length, 1);
    await assert.rejects(world.client.connect(), { code: 'closed' });
    await assert.rejects(world.client.publish('t', 1), TroupeError);
    assert.throws(() => world.client.subscribe('t', () => {}), { code: 'closed' });
  });
}

test('what is no frame is an error, and the connection goes on', async (t) => {
  const world = new World(t);
  const socket = await world.online();
  await socket.say('{');
  await socket.say({ type: 'of the future', field: 1 });
  await socket.say({ type: 'error', code: 'internal', message: 'without an id' });
  assert.deepEqual(world.events('error').map(({ code }) => code), ['bad_request', 'internal']);
  assert.equal(world.client.state, 'online');
});

test('a listener that throws stops no other; what it threw is an error event', async (t) => {
  const world = new World(t);
  world.client.on('state', () => { throw new Error('mine'); });
  const seen = [];
  const off = world.client.on('state', ({ state }) => seen.push(state));
  await world.online();
  off();
  world.client.close();
  assert.deepEqual(seen, ['connecting', 'online']);
  assert.ok(world.events('error').every(({ message }) => message === 'mine') && world.events('error').length === 3);
});

test('times of Infinity are no limits, and never over at once', async (t) => {
  const world = new World(t, { timeoutMs: Infinity, connectTimeoutMs: Infinity, pingIntervalMs: Infinity, pongTimeoutMs: Infinity });
  const first = world.client.connect();
  await world.pass(60_000);
  assert.deepEqual(world.states, ['connecting']);
  await world.socket.welcome();
  await first;
  const info = world.client.info();
  await world.pass(600_000);
  assert.equal(world.socket.frames('ping').length, 0);
  await world.socket.answer('info', { type: 'info', connection_id: 'c1', user: 'u', subscriptions: 0, queue: 0 });
  assert.equal((await info).user, 'u');
  assert.deepEqual(world.states, ['connecting', 'online']);
});
