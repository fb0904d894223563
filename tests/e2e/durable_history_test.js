// A history on the disk, by the real server and the JavaScript client: what was acknowledged outlives kill -9, and who
// comes back goes on where it was, with nothing lost and nothing doubled.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import WebSocket from 'ws';
import { Client } from '../../clients/js/dist/index.js';
import { generous, serve, sleep, until } from './lib/server.js';
import { machineToken } from './lib/oauth.js';

const durable = `${generous}
[realtime]
messages_per_second = 100000
messages_burst = 100000
[realtime.namespace.log]
history_durability = "disk"
history_messages_max = 5000
history_bytes_max = "16MiB"
`;
const everything = 'topic:>:subscribe topic:>:publish';
const numbers = (count) => Array.from({ length: count }, (_, at) => at + 1);

async function durableServer() {
  const server = await serve({ config: durable });
  const account = await server.addClient('--name', 'machine', '--grant', 'client_credentials', '--scope', everything);
  return { server, token: await machineToken(server, account) };
}

async function newClient(t, server, token) {
  const client = new Client(server.ws(), { WebSocket, token: () => token, backoff: { baseMs: 10, maxMs: 200 } });
  client.on('error', () => {});
  t.after(() => client.close());
  await client.connect();
  return client;
}

/// Keeps all that it is told of a topic: payloads, and what was lost.
async function follow(client, topic) {
  const log = { payloads: [], lost: [], epochs: new Set() };
  await client.subscribe(topic, {
    message: ({ payload, epoch }) => { log.payloads.push(payload); log.epochs.add(epoch); },
    gap: (event) => log.lost.push(event),
    lost: (event) => log.lost.push(event),
  }).ready;
  return log;
}

test('a server that is killed five times while 1000 messages pass: each is acknowledged once, seen once and in order', async (t) => {
  const { server, token } = await durableServer();
  const [publisher, subscriber] = [await newClient(t, server, token), await newClient(t, server, token)];
  const [log, beside] = [await follow(subscriber, 'log.orders'), await follow(subscriber, 'memory.orders')];
  await publisher.publish('memory.orders', 'in memory');
  let publishing = true;
  let kills = 0;
  const killing = (async () => {
    for (; kills < 5 && publishing; ++kills) {
      await sleep(300);
      await server.kill();
      await server.start(server.port);
    }
  })();
  const acks = [];
  for (const n of numbers(1000)) {
    acks.push(publisher.publish('log.orders', n, { timeoutMs: 60_000 }));
    if (n % 20 === 0) await acks[n - 20];
    if (n % 3 === 0) await sleep(5);
  }
  const answers = await Promise.all(acks);
  publishing = false;
  await killing;
  assert.ok(kills >= 3, `only ${kills} kills`);
  assert.deepEqual(answers.map(({ offset }) => offset), numbers(1000), 'each was published once, in order');
  assert.ok(await until(() => log.payloads.length >= 1000, 30_000), `${log.payloads.length} were seen: ${JSON.stringify(log.lost)}`);
  assert.deepEqual(log.payloads, numbers(1000), 'no double, no hole');
  assert.deepEqual(log.lost, []);
  assert.deepEqual([...log.epochs], [answers[0].epoch]);
  assert.ok(await until(() => beside.lost.length > 0, 30_000), 'what was in memory has begun anew');

  const kept = [];
  const history = publisher.history('log.orders', { limit: 1000 });
  for await (const { payload } of history) kept.push(payload);
  assert.deepEqual([kept, history.complete], [numbers(1000), true]);
});

test('who was away while the server was killed and written to again has all of it, and a key is remembered', async (t) => {
  const { server, token } = await durableServer();
  const first = await newClient(t, server, token);
  await first.publish('log.a', 1, { idempotencyKey: 'one' });
  const { epoch } = await first.publish('log.a', 2, { idempotencyKey: 'two' });
  first.close();
  await server.kill();
  await server.start(server.port);
  const second = await newClient(t, server, token);
  const again = await second.publish('log.a', 2, { idempotencyKey: 'two' });
  assert.deepEqual([again.offset, again.epoch], [2, epoch]);
  assert.equal((await second.publish('log.a', 3)).offset, 3);
  await server.stop();  // in order, too
  await server.start(server.port);
  const seen = [];
  await second.subscribe('log.a', ({ payload }) => seen.push(payload), { recover: { epoch, offset: 1 } }).ready;
  assert.ok(await until(() => seen.length === 2, 30_000), `${seen}`);
  assert.deepEqual(seen, [2, 3]);
});

test('a server whose history is in memory alone opens no file for it', async () => {
  const server = await serve();
  assert.ok(existsSync(join(server.data, 'troupe.db')));
  assert.ok(!existsSync(join(server.data, 'history.db')));
});
