// Sessions that outlive their socket, with npm `ws` over real sockets.
import { test, before } from 'node:test';
import assert from 'node:assert/strict';
import { serve, sleep } from './lib/server.js';
import { Client } from './lib/websocket.js';
import { machineToken } from './lib/oauth.js';

const server = await serve();
const everything = 'topic:>:subscribe topic:>:publish';
let token;
before(async () => {
  const client = await server.addClient('--name', 'sessions', '--grant', 'client_credentials', '--scope', everything);
  token = await machineToken(server, client);
});
let watcherToken;
before(async () => {
  const client = await server.addClient('--name', 'watcher', '--grant', 'client_credentials', '--scope', everything);
  watcherToken = await machineToken(server, client);
});
const open = (session) => Client.open(`${server.ws()}${session ? `?session=${session}` : ''}`, { token });

test('a socket that is cut again and again loses no message and doubles none', async () => {
  const publisher = await open();
  const watcher = await Client.open(server.ws(), { token: watcherToken });
  let client = await open();
  const { session } = client.welcome;
  assert.equal(client.welcome.resumed, false);
  const topic = 'room.cut';
  await watcher.ask({ type: 'subscribe', topics: [topic], presence: true });
  const { topics: [{ epoch }] } = await client.subscribe(topic);
  const here = [client.welcome.user, watcher.welcome.user].sort();
  const joined = [];
  while (joined.length < 2) joined.push(...(await watcher.next('presence_changed')).joined);
  assert.deepEqual(joined.sort(), here);
  let position = 0;
  const take = async (until) => {
    while (position < until) {
      const message = await client.next('message');
      assert.deepEqual([message.offset, message.payload], [position + 1, position + 1]);
      ++position;
    }
  };
  let published = 0;
  const publish = async (count) => {
    for (let i = 0; i < count; ++i) publisher.send({ type: 'publish', topic, payload: ++published });
    await publisher.ask({ type: 'ping' });
  };
  for (let round = 0; round < 5; ++round) {
    await publish(20);
    await take(position + 7);
    client.socket.terminate();
    await publish(20);
    client = await open(session);
    assert.deepEqual([client.welcome.session, client.welcome.resumed], [session, true]);
    await publish(5);
    assert.deepEqual((await client.quiet()).filter((m) => m.type === 'message'), []);
    const resumed = await client.ask({ type: 'resume', positions: { [topic]: { epoch, offset: position } } });
    assert.equal(resumed.type, 'resumed', JSON.stringify(resumed));
    assert.deepEqual(resumed.topics, [{ topic, epoch, offset: published, recovered: true }]);
    await publish(3);
    await take(published);
  }
  assert.deepEqual((await client.quiet()).filter((m) => m.type === 'message'), []);
  await sleep(400); // longer than a batch of presence takes
  assert.deepEqual((await watcher.quiet()).filter((m) => m.type === 'presence_changed'), []);
  const state = await watcher.ask({ type: 'presence', topic });
  assert.deepEqual([state.count, state.users], [2, here]);
  await Promise.all([client.close(), publisher.close()]);
  assert.deepEqual(await watcher.next('presence_changed'), { type: 'presence_changed', topic, joined: [], left: [client.welcome.user] });
  await watcher.close();
  assert.equal((await open(session)).welcome.resumed, false); // a clean close has ended it
});

test('a socket that is still open when the session goes on elsewhere closes with 4004', async () => {
  const first = await open();
  await first.subscribe('room.elsewhere');
  const second = await open(first.welcome.session);
  assert.equal(second.welcome.resumed, true);
  assert.equal((await first.closed).code, 4004);
  assert.equal((await second.ask({ type: 'resume', positions: {} })).topics[0].recovered, false);
  assert.equal((await second.ask({ type: 'publish', topic: 'room.elsewhere', payload: 1 })).delivered_to, 1);
  await second.close();
});
