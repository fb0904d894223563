// Any order of things: a server that is a few lines of model, sockets that bring what they have in pieces or never, and
// a client between. Whatever the seed, every publication is made once and in order, and a subscriber gets each offset
// once and in order, or is told which it does not get.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { World, quiet } from './lib/world.js';

const rounds = 400;
const kept = 20;      // messages of history
const room = 12;      // frames in an outbox

/// The server's side: one topic, whose log outlives sockets, and a session that may.
class Model {
  constructor(random) {
    this.random = random;
    this.log = [];              // [{ epoch, payload, sender }]
    this.epoch = 'e1';
    this.keys = new Map();
    this.outboxes = new Map();  // socket -> frames on their way to the client
    this.arriving = new Map();  // socket -> frames on their way to the server
    this.excluded = new Set();  // offsets that their publisher did not want
    this.subscribed = new Set();
    this.resumable = false;
  }
  get top() { return this.log.length; }
  push(socket, frame) { this.outboxes.get(socket)?.push(frame); }

  /// A slow reader's oldest messages go, and a gap says so in their place.
  deliver(socket, frame) {
    const outbox = this.outboxes.get(socket);
    outbox.push(frame);
    const waiting = outbox.filter(({ type }) => type === 'message');
    if (waiting.length <= room) return;
    const at = outbox.indexOf(waiting[0]);
    const { topic, epoch, offset } = waiting[0];
    const before = outbox[at - 1];
    if (before?.type === 'gap' && before.to === offset - 1) { before.to = offset; outbox.splice(at, 1); }
    else outbox[at] = { type: 'gap', topic, epoch, from: offset, to: offset, reason: 'overflow' };
  }
  message = (offset) => ({ type: 'message', topic: 'a', epoch: this.epoch, offset, payload: this.log[offset - 1].payload, sent_at: 1 });

  publish(payload, socket) {
    this.log.push({ payload });
    for (const each of this.subscribed) if (each !== socket) this.deliver(each, this.message(this.top));
    return { type: 'ack', epoch: this.epoch, offset: this.top, delivered_to: 1, queued: 0 };
  }

  /// Some of what is on its way to the server arrives.
  work(socket, share = this.random()) {
    const arriving = this.arriving.get(socket) ?? [];
    for (const frame of arriving.splice(0, Math.ceil(arriving.length * share))) this.serve(frame, socket);
  }

  serve(frame, socket) {
    if (frame.type === 'publish') {
      const again = this.keys.get(frame.idempotency_key);
      const ack = again ?? this.publish(frame.payload, frame.exclude_self ? socket : undefined);
      if (frame.exclude_self) this.excluded.add(ack.offset);
      this.keys.set(frame.idempotency_key, ack);
      this.push(socket, { ...ack, id: frame.id });
    } else if (frame.type === 'subscribe' || frame.type === 'resume') {
      const at = (frame.recover ?? frame.positions)?.a;
      const recovered = at !== undefined && at.epoch === this.epoch && at.offset <= this.top && at.offset >= this.top - kept;
      this.push(socket, { type: frame.type === 'resume' ? 'resumed' : 'subscription_confirmed', id: frame.id,
                          topics: [{ topic: 'a', epoch: this.epoch, offset: this.top, recovered }] });
      if (recovered) for (let offset = at.offset + 1; offset <= this.top; ++offset) this.push(socket, this.message(offset));
      this.subscribed.add(socket);
    }
  }

  welcome(socket) {
    this.outboxes.set(socket, []);
    this.arriving.set(socket, []);
    return socket.welcome({ user: 'u', resumed: this.resumable && socket.url.searchParams.has('session') });
  }
  /// What is on its way is lost with the socket, both ways; what has arrived was carried out.
  async cut(socket) {
    this.outboxes.delete(socket);
    this.arriving.delete(socket);
    this.subscribed.delete(socket);
    this.resumable = this.random() < 0.5;
    await socket.end();
  }
  /// Some of what waits arrives, in one turn.
  flush(socket, share = this.random()) {
    this.work(socket, share);
    const outbox = this.outboxes.get(socket) ?? [];
    return socket.say(...outbox.splice(0, Math.ceil(outbox.length * share)));
  }
  /// Another epoch, as after a restart without what was in memory; keys are remembered, so that publications can be counted.
  restart() {
    this.epoch = `e${Number(this.epoch.slice(1)) + 1}`;
    this.log = [];
    this.excluded.clear();
  }
}

function lcg(seed) {
  let state = seed * 7919 + 1;
  for (let i = 0; i < 5; ++i) state = (state * 1103515245 + 12345) % 2147483648;
  return () => (state = (state * 1103515245 + 12345) % 2147483648) / 2147483648;
}

/// What was seen around the first that begins there, as text.
function around(seen, from) {
  const at = seen.findIndex((each) => each.from === from);
  return seen.slice(Math.max(0, at - 4), at + 3).map((each) => `${each.from}${each.gap ? `-${each.to} gap` : ''}`).join(', ');
}

async function run(t, seed, { restarts = false, excludeSelf = 0 }) {
  const random = lcg(seed);
  const world = new World(t, { timeoutMs: 200_000, backoff: { baseMs: 10, maxMs: 10 }, pingIntervalMs: 1e9 });
  const model = new Model(random);
  world.serve = (frame, socket) => model.arriving.get(socket)?.push(frame);
  const seen = [];
  world.client.subscribe('a', {
    message: ({ epoch, offset, payload }) => seen.push({ epoch, from: offset, to: offset, payload }),
    gap: ({ epoch, from, to }) => seen.push({ epoch, from, to, gap: true }),
    lost: ({ before, now }) => seen.push(before.epoch === now.epoch ? { epoch: now.epoch, from: before.offset + 1, to: now.offset, gap: true }
                                                                    : { epoch: now.epoch, anew: now.offset }),
  });
  world.client.connect();
  await world.pass(0);
  await model.welcome(world.socket);
  await model.flush(world.socket, 1);
  const acks = [];
  let published = 0;
  const { client } = world;
  for (let round = 0; round < rounds; ++round) {
    const socket = world.socket;
    const dice = random();
    if (dice < 0.35) acks.push(quiet(client.publish('a', ++published, { excludeSelf: random() < excludeSelf })));
    else if (dice < 0.55) model.publish('other');
    else if (dice < 0.65) model.work(socket);
    else if (dice < 0.85) await model.flush(socket);
    else if (dice < 0.95 && client.state === 'online') await model.cut(socket);
    else if (restarts && dice < 0.97) { model.restart(); await model.cut(socket); }
    if (client.state === 'waiting') await world.pass(10);
    if (client.state === 'connecting' && random() < 0.7) await model.welcome(world.socket);
  }
  while (client.state !== 'online') {
    await world.pass(10);
    if (client.state === 'connecting') await model.welcome(world.socket);
  }
  for (let i = 0; i < 5; ++i) await model.flush(world.socket, 1);
  const all = await Promise.all(acks);
  client.close();
  return { seen, model, published, all };
}

for (let seed = 1; seed <= 40; ++seed) {
  test(`cut, slow and resumed at random: seed ${seed}`, async (t) => {
    const { seen, model, published, all } = await run(t, seed, {});
    const own = model.log.map(({ payload }) => payload).filter((payload) => payload !== 'other');
    assert.deepEqual(own, Array.from({ length: published }, (_, at) => at + 1), 'each publication once, in order');
    assert.equal(all.length, published);
    let next = 1;
    for (const { from, to, payload, gap } of seen) {
      assert.equal(from, next, `neither double nor hole: ${around(seen, from)}`);
      if (!gap) assert.equal(payload, model.log[from - 1].payload);
      next = to + 1;
    }
    assert.equal(next, model.top + 1, 'up to the last');
  });
}

for (let seed = 1; seed <= 40; ++seed) {
  test(`and without hearing itself: seed ${seed}`, async (t) => {
    const { seen, model, published } = await run(t, seed, { excludeSelf: 0.5 });
    assert.equal(model.log.filter(({ payload }) => payload !== 'other').length, published);
    let next = 1;
    const skip = (from) => { while (next < from && model.excluded.has(next)) ++next; };
    for (const { from, to, payload, gap } of seen) {
      skip(from); // its own may come all the same, where it is recovered
      assert.equal(from, next, `neither double nor hole: ${around(seen, from)}`);
      if (!gap) assert.equal(payload, model.log[from - 1].payload);
      next = to + 1;
    }
    skip(model.top + 1);
    assert.equal(next, model.top + 1, 'up to the last');
  });
}

for (let seed = 1; seed <= 20; ++seed) {
  test(`with servers that begin anew: seed ${seed}`, async (t) => {
    const { seen, model } = await run(t, seed, { restarts: true });
    let at = { epoch: 'e1', next: 1 };
    for (const { epoch, from, to, anew } of seen) {
      if (anew !== undefined) at = { epoch, next: anew + 1 };
      else {
        assert.deepEqual({ epoch, next: from }, at, 'another epoch is told before its first message');
        at.next = to + 1;
      }
    }
    assert.deepEqual(at, { epoch: model.epoch, next: model.top + 1 });
  });
}
