// The HTTP API as a back end uses it: tokens of the OAuth service, fetch, and a WebSocket that listens.
import { test, before } from 'node:test';
import assert from 'node:assert/strict';
import { serve, within } from './lib/server.js';
import { Client } from './lib/websocket.js';
import { machineToken } from './lib/oauth.js';

const server = await serve();
const scopes = 'topic:>:subscribe topic:chat.*:publish realtime:publish realtime:read realtime:admin';
let client;
let token;
before(async () => {
  client = await server.addClient('--name', 'back end', '--grant', 'client_credentials', '--scope', scopes);
  token = await machineToken(server, client, scopes);
});

async function api(method, path, { body, key, as = token } = {}) {
  const headers = {};
  if (as) headers.Authorization = `Bearer ${as}`;
  if (key) headers['Idempotency-Key'] = key;
  const text = typeof body === 'string' ? body : body && JSON.stringify(body);
  const response = await fetch(`${server.url}/api/v1/${path}`, { method, headers, body: text });
  const answer = await response.text();
  return { status: response.status, headers: response.headers, body: answer ? JSON.parse(answer) : undefined };
}

test('what a back end publishes reaches a WebSocket byte for byte', async () => {
  const socket = await Client.open(server.ws(), { token });
  await socket.subscribe('chat.bytes');
  const raw = new Promise((done) => socket.socket.once('message', (data) => done(`${data}`)));
  const answer = await api('POST', 'publish', { body: '{"topic":"chat.bytes","payload":{"a" : 1.0,"ü":"\\u00fc"}}' });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  assert.equal(answer.body.delivered_to, 1);
  assert.ok((await raw).endsWith('"payload":{"a" : 1.0,"ü":"\\u00fc"}}'), await raw);
  await socket.close();
});

test('a broadcast answers for each topic, and one forbidden topic refuses all of them', async () => {
  const answer = await api('POST', 'broadcast', { body: { topics: ['chat.a', 'chat.b'], payload: 1 } });
  assert.deepEqual(answer.body.results.map((each) => [each.topic, each.offset]), [['chat.a', 1], ['chat.b', 1]]);
  const refused = await api('POST', 'broadcast', { body: { topics: ['chat.a', 'news'], payload: 2 } });
  assert.equal(refused.status, 403);
  assert.match(refused.body.detail, /`news`/);
  assert.equal((await api('GET', 'history?topic=chat.a')).body.items.length, 1);
});

test('a repeat under the same key publishes once, also at the same time; another body is told', async () => {
  const body = { topic: 'chat.keys', payload: { n: 1 } };
  const answers = await Promise.all(Array.from({ length: 20 }, () => api('POST', 'publish', { body, key: 'k-1' })));
  assert.deepEqual(new Set(answers.map((each) => `${each.status} ${each.body.offset}`)), new Set(['200 1']));
  const other = await api('POST', 'publish', { body: { ...body, payload: { n: 2 } }, key: 'k-1' });
  assert.deepEqual([other.status, other.body.code], [409, 'bad_request']);
  assert.equal((await api('GET', 'topics?pattern=chat.keys')).body.topics[0].offset, 1);
});

test('a direct message of a back end waits for its user', async () => {
  const info = await Client.open(server.ws(), { token });
  const { user } = info.welcome;
  const sent = await api('POST', 'direct', { body: { user, payload: 'hi' }, key: 'd-1' });
  assert.equal(sent.status, 200, JSON.stringify(sent.body));
  const direct = await info.next('direct');
  assert.equal(direct.message_id, sent.body.message_id);
  assert.equal((await api('POST', 'direct', { body: { user, payload: 'hi' }, key: 'd-1' })).body.message_id, sent.body.message_id);
  info.send({ type: 'received', offset: direct.offset });
  await info.close();
});

test('history, presence and topics come page by page', async () => {
  for (let n = 1; n <= 5; ++n) await api('POST', 'publish', { body: { topic: 'chat.pages', payload: n } });
  const newest = (await api('GET', 'history?topic=chat.pages&limit=2')).body;
  assert.deepEqual(newest.items.map((each) => each.payload), [4, 5]);
  const since = (await api('GET', `history?topic=chat.pages&since=${newest.epoch}:1&limit=2`)).body;
  assert.deepEqual(since.items.map((each) => each.payload), [2, 3]);
  const socket = await Client.open(server.ws(), { token });
  await socket.subscribe('chat.pages');
  const present = (await api('GET', 'presence?topic=chat.pages')).body;
  assert.deepEqual([present.count, present.users], [1, [socket.welcome.user]]);
  const first = (await api('GET', 'topics?pattern=chat.*&limit=1')).body;
  const second = (await api('GET', `topics?pattern=chat.*&limit=1&after=${first.next}`)).body;
  assert.ok(first.topics[0].topic < second.topics[0].topic);
  await socket.close();
});

test('an operator sees who is there, and sends a connection or a user away', async () => {
  const [one, two] = [await Client.open(server.ws(), { token }), await Client.open(server.ws(), { token })];
  const list = (await api('GET', 'connections')).body.connections;
  assert.ok(list.some((each) => each.connection_id === one.welcome.connection_id && each.protocol === 'websocket'));
  assert.equal((await api('DELETE', `connections/${one.welcome.connection_id}`)).status, 204);
  assert.equal((await within(10_000, one.closed)).code, 1008);
  assert.equal((await api('DELETE', `connections/${one.welcome.connection_id}`)).status, 404);
  const { user } = two.welcome;
  assert.ok((await api('GET', 'users')).body.users.some((each) => each.user === user));
  assert.deepEqual((await api('DELETE', `users/${encodeURIComponent(user)}/connections`)).body, { closed: 1 });
  assert.equal((await within(10_000, two.closed)).code, 1008);
});

test('each call takes its own scope and says which', async () => {
  const weak = await machineToken(server, client, 'topic:>:subscribe topic:chat.*:publish');
  for (const [method, path, scope, body] of [
    ['POST', 'publish', 'realtime:publish', { topic: 'chat.a', payload: 1 }],
    ['POST', 'broadcast', 'realtime:publish', { topics: ['chat.a'], payload: 1 }],
    ['POST', 'direct', 'realtime:publish', { user: 'x', payload: 1 }],
    ['GET', 'presence?topic=chat.a', 'realtime:read'],
    ['GET', 'history?topic=chat.a', 'realtime:read'],
    ['GET', 'topics', 'realtime:read'],
    ['GET', 'connections', 'realtime:admin'],
    ['GET', 'users', 'realtime:admin'],
    ['DELETE', 'connections/x', 'realtime:admin'],
    ['DELETE', 'users/x/connections', 'realtime:admin'],
  ]) {
    const refused = await api(method, path, { body, as: weak });
    assert.equal(refused.status, 403, path);
    assert.ok(refused.body.detail.includes(`\`${scope}\``), refused.body.detail);
    assert.ok(refused.headers.get('www-authenticate').includes(`scope="${scope}"`), path);
    assert.equal((await api(method, path, { body, as: null })).status, 401, path);
    assert.equal((await api(method, path, { body, as: 'garbage' })).status, 401, path);
  }
});
