// Who may connect, subscribe and publish: tokens of the OAuth service at the WebSocket.
import { test, before } from 'node:test';
import assert from 'node:assert/strict';
import { serve, until, within } from './lib/server.js';
import WebSocket from 'ws';
import { Client, refusal } from './lib/websocket.js';
import { callback, machineToken, newCode, post, redeem } from './lib/oauth.js';
import { UserAgent } from './lib/user_agent.js';

const server = await serve();
let client;
before(async () => {
  client = await server.addClient('--name', 'access', '--grant', 'client_credentials',
                                  '--scope', 'topic:chat.*:subscribe topic:chat.general:publish');
});
const newToken = (scope) => machineToken(server, client, scope);

for (const [way, open] of Object.entries({
  'the Authorization header': (token) => Client.open(server.ws(), { token }),
  'a subprotocol': (token) => Client.open(server.ws(), { protocols: ['troupe.v1', `bearer.${token}`] }),
  'the query': (token) => Client.open(server.ws(`/ws?access_token=${token}`)),
  'a first frame': async (token) => {
    const socket = await Client.open(server.ws(), { welcome: false });
    socket.send({ type: 'authenticate', token });
    socket.welcome = await socket.next('welcome');
    return socket;
  },
})) {
  test(`a token in ${way} opens a connection with its scopes`, async () => {
    const socket = await open(await newToken());
    assert.ok(socket.welcome.user);
    await socket.subscribe('chat.general');
    await socket.close();
  });
}

for (const [name, token] of [['garbage', 'garbage'], ['an unsigned token', 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.']]) {
  test(`${name} as a token is refused with 401 before the upgrade`, async () => {
    assert.equal((await refusal(server.ws(), { headers: { Authorization: `Bearer ${token}` } })).statusCode, 401);
  });
}

test('a header that can hold no token is refused with 401, not taken for none', async () => {
  const token = await newToken();
  for (const authorization of ['Bearer ', 'Bearer', '', 'Basic YTpi', token, `Bearer ${token} x`, `Bearer${token}`, [`Bearer ${token}`, `Bearer ${token}`]]) {
    const answer = await refusal(server.ws(), { headers: { Authorization: authorization } });
    assert.equal(answer.statusCode, 401, `${authorization}`);
    assert.match(answer.headers['www-authenticate'], /^Bearer .*invalid_token/);
  }
  assert.equal((await refusal(server.ws('/ws?access_token='))).statusCode, 401);
  const socket = new Client(new WebSocket(server.ws(), { headers: { Authorization: `bearer ${token}` } }));
  await socket.next('welcome');
  await socket.close();
});

test('a changed signature is refused with 401', async () => {
  const token = await newToken();
  const at = token.length - 10;
  const changed = token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1);
  assert.equal((await refusal(server.ws(), { headers: { Authorization: `Bearer ${changed}` } })).statusCode, 401);
});

test('a bad token in the first frame is told, and leaves only the rest of the five seconds', async () => {
  const socket = await Client.open(server.ws(), { welcome: false });
  const answer = await socket.ask({ type: 'authenticate', token: 'garbage' });
  assert.deepEqual([answer.type, answer.code], ['error', 'unauthorized']);
  assert.equal((await socket.ask({ type: 'subscribe', topics: ['chat.general'] })).code, 'unauthorized');
  const end = await within(8000, socket.closed);
  assert.ok(end, 'still open after eight seconds');
});

test('who says nothing is closed after five seconds', async () => {
  const socket = await Client.open(server.ws(), { welcome: false });
  const begin = Date.now();
  const end = await within(9000, socket.closed);
  assert.ok(end, 'still open after nine seconds');
  assert.ok(Date.now() - begin > 4000, 'closed too early');
});

test('before authentication no other command is carried out', async () => {
  const socket = await Client.open(server.ws(), { welcome: false });
  socket.send({ type: 'subscribe', id: 's', topics: ['chat.general'] });
  const answer = await Promise.race([socket.next((m) => m.type === 'error'), socket.closed]);
  assert.ok(answer.code === 'unauthorized' || answer.code === 1008 || answer.code === 4001, JSON.stringify(answer));
  socket.socket.terminate();
});

test('scopes decide what one may subscribe to and publish', async () => {
  const socket = await Client.open(server.ws(), { token: await newToken() });
  const table = [
    [{ type: 'subscribe', topics: ['chat.general'] }, 'subscription_confirmed'],
    [{ type: 'subscribe', topics: ['chat.*'] }, 'subscription_confirmed'],
    [{ type: 'subscribe', topics: ['chat.>'] }, 'forbidden'],
    [{ type: 'subscribe', topics: ['chat.a.b'] }, 'forbidden'],
    [{ type: 'subscribe', topics: ['*.general'] }, 'forbidden'],
    [{ type: 'subscribe', topics: ['>'] }, 'forbidden'],
    [{ type: 'subscribe', topics: ['other'] }, 'forbidden'],
    [{ type: 'publish', topic: 'chat.general', payload: 1 }, 'ack'],
    [{ type: 'publish', topic: 'chat.other', payload: 1 }, 'forbidden'],
    [{ type: 'publish', topic: 'other', payload: 1 }, 'forbidden'],
  ];
  for (const [frame, expected] of table) {
    const answer = await socket.ask(frame);
    assert.equal(answer.type === 'error' ? answer.code : answer.type, expected, JSON.stringify(frame));
  }
  await socket.close();
});

test('one forbidden topic refuses the whole frame', async () => {
  const socket = await Client.open(server.ws(), { token: await newToken() });
  const answer = await socket.ask({ type: 'subscribe', topics: ['chat.a', 'secret.b', 'chat.c'] });
  assert.deepEqual([answer.type, answer.code], ['error', 'forbidden']);
  assert.equal((await socket.subscribe('chat.d')).active_subscriptions, 1);
  await socket.close();
});

test('a client may ask for a narrower topic than it is registered for, and for no other', async () => {
  const socket = await Client.open(server.ws(), { token: await newToken('topic:chat.x:subscribe') });
  assert.equal((await socket.ask({ type: 'subscribe', topics: ['chat.y'] })).code, 'forbidden');
  assert.equal((await socket.ask({ type: 'subscribe', topics: ['chat.*'] })).code, 'forbidden');
  await socket.subscribe('chat.x');
  await socket.close();
  for (const scope of ['topic:chat.>:subscribe', 'topic:chat.x:publish', 'topic:*.x:subscribe', 'topic:news.x:subscribe']) {
    const answer = await post(`${server.url}/oauth/token`, { grant_type: 'client_credentials', scope }, { client });
    assert.deepEqual([answer.status, answer.body.error], [400, 'invalid_scope'], scope);
  }
});

test('revoking a token closes every connection that uses it, and no other', async () => {
  const [token, other] = [await newToken(), await newToken()];
  const [one, two, bystander] = await Promise.all([token, token, other].map((each) => Client.open(server.ws(), { token: each })));
  const begin = Date.now();
  const answer = await post(`${server.url}/oauth/revoke`, { token }, { client });
  assert.equal(answer.status, 200);
  for (const socket of [one, two]) {
    const end = await within(10_000, socket.closed);
    assert.equal(end?.code, 4001, 'closed as revoked');
  }
  const took = Date.now() - begin;
  assert.ok(took < 10_000, `it took ${took} ms`);
  console.log(`revocation closed the connections after ${took} ms`);
  await bystander.subscribe('chat.still');
  assert.equal((await refusal(server.ws(), { headers: { Authorization: `Bearer ${token}` } })).statusCode, 401);
  await bystander.close();
});

test('disabling or removing a client at the command line closes what is open with its tokens, and nothing else', async () => {
  const add = (name) => server.addClient('--name', name, '--grant', 'client_credentials', '--scope', 'topic:chat.*:subscribe');
  const [disabled, removed] = [await add('to be disabled'), await add('to be removed')];
  const open = async (of) => Client.open(server.ws(), { token: await machineToken(server, of) });
  const bystander = await open(client);
  for (const [of, ...command] of [[disabled, 'client', 'update', '--disable'], [removed, 'client', 'remove']]) {
    const sockets = [await open(of), await open(of)];
    assert.equal(server.command(...command, of.client_id).status, 0);
    for (const socket of sockets) assert.equal((await within(10_000, socket.closed))?.code, 4001, command.join(' '));
  }
  await bystander.subscribe('chat.still');
  await bystander.close();

  assert.equal(server.command('client', 'update', '--enable', disabled.client_id).status, 0);
  const anew = await until(() => open(disabled).catch(() => undefined));
  assert.ok(anew, 'it does not begin anew');
  await anew.close();
});

test('removing a user at the command line closes what they have open, through whichever client', async () => {
  const user = { name: 'leaving', password: 'a very good password' };
  const other = { name: 'staying', password: 'a very good password' };
  const scope = 'openid topic:chat.*:subscribe';
  for (const { name, password } of [user, other]) await server.addUser(name, password);
  const web = await server.addClient('--name', 'Web', '--redirect-uri', callback, '--grant', 'authorization_code', '--scope', scope);
  const open = async (who) => {
    const tokens = await redeem(server, web, await newCode(server, web, new UserAgent(server.url), who, { scope }));
    return Client.open(server.ws(), { token: tokens.body.access_token });
  };
  const [leaving, staying] = [await open(user), await open(other)];
  assert.equal(server.command('user', 'remove', user.name).status, 0);
  assert.equal((await within(10_000, leaving.closed))?.code, 4001);
  await staying.subscribe('chat.still');
  await staying.close();
});

test('a browser of another origin is refused with 403 before the upgrade', async () => {
  const headers = { Origin: 'https://evil.example', Authorization: `Bearer ${await newToken()}` };
  assert.equal((await refusal(server.ws(), { headers })).statusCode, 403);
});

test('a page of our own origin may connect', async () => {
  const socket = new Client(new WebSocket(server.ws(), {
    headers: { Origin: server.url, Authorization: `Bearer ${await newToken()}` } }));
  await socket.next('welcome');
  await socket.close();
});
