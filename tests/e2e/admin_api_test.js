// The administration API against the real server: long lists, races, scopes one by one, and what a deed ends. Every
// answer is held against the OpenAPI document.
import { test, before } from 'node:test';
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { generous, serve, until, within } from './lib/server.js';
import { UserAgent } from './lib/user_agent.js';
import { OpenApi } from './lib/openapi.js';
import { Client } from './lib/websocket.js';
import { callback, introspect, machineToken, newCode, post, redeem } from './lib/oauth.js';

const user = { name: 'ada', password: 'keeps the engine going' };
const server = await serve({ config: `${generous}[server]\ncores = 2\n`, prepare: (s) => s.addUser(user.name, user.password) });
const openapi = await OpenApi.of(server);
const calls = openapi.operations.filter(([, path]) => path.startsWith('/admin/v1'));
const scopes = [...new Set(calls.map(([, , operation]) => operation.security[0].bearer[0]))];
let desk, shop, token;
before(async () => {
  desk = await server.addClient('--name', 'Desk', '--grant', 'client_credentials', '--scope', `admin introspect ${scopes.join(' ')}`);
  shop = await server.addClient('--name', 'Shop', '--redirect-uri', callback, '--grant', 'authorization_code', '--grant', 'refresh_token',
                                '--scope', 'openid offline_access topic:>:subscribe');
  token = await machineToken(server, desk, 'admin');
});
const ask = (method, path, { as = token, headers = {}, ...options } = {}) =>
  openapi.ask(server, method, `/admin/v1${path}`, { headers: { ...(as ? { Authorization: `Bearer ${as}` } : {}), ...headers }, ...options });
const machine = { client_name: 'Machine', grant_types: ['client_credentials'], scope: 'read' };
const subOf = async (name) => (await ask('get', '/users', { query: '?limit=1000' })).body.users.find((each) => each.preferred_username === name).sub;

async function all(path, list, query = '') {
  const rows = [];
  let pages = 0;
  for (let next = ''; next !== undefined; ++pages) {
    const page = await ask('get', path, { query: `?limit=100${query}${next && `&after=${next}`}` });
    assert.equal(page.status, 200, JSON.stringify(page.body));
    rows.push(...page.body[list]);
    next = page.body.next;
  }
  return { rows, pages };
}

test('more than a thousand clients come page by page, each once, while others come and go', async () => {
  const made = [];
  for (let n = 0; n < 1050; n += 50) {
    const answers = await Promise.all(Array.from({ length: 50 }, () => ask('post', '/clients', { body: machine })));
    for (const answer of answers) assert.equal(answer.status, 201);
    made.push(...answers.map((answer) => answer.body));
  }
  assert.equal(new Set(made.map((client) => client.client_secret)).size, made.length);
  const removing = ask('delete', '/clients/{client_id}', { names: made[3] });
  const { rows, pages } = await all('/clients', 'clients');
  assert.equal((await removing).status, 204);
  const ids = rows.map((client) => client.client_id);
  assert.equal(new Set(ids).size, ids.length);
  for (const client of made.slice(4)) assert.ok(ids.includes(client.client_id));
  assert.ok(pages >= 11);
  assert.ok(rows.every((client) => client.client_secret === undefined));
});

test('more than a thousand tokens and events come page by page', async () => {
  const busy = (await ask('post', '/clients', { body: machine })).body;
  for (let n = 0; n < 21; ++n) await Promise.all(Array.from({ length: 50 }, () => machineToken(server, busy)));
  const { rows } = await all('/tokens', 'tokens', `&client=${busy.client_id}`);
  assert.equal(new Set(rows.map((each) => each.jti)).size, 1050);
  const events = await all('/events', 'events', '&kind=client_registered');
  assert.ok(events.rows.length > 1000);
  assert.ok(events.rows.every((event, at) => at === 0 || event.time <= events.rows[at - 1].time));
});

test('of a hundred changes at once of one version one is made', async () => {
  const made = await ask('post', '/clients', { body: machine });
  const names = made.body;
  const headers = { 'If-Match': made.headers.get('etag') };
  const answers = await Promise.all(Array.from({ length: 100 }, (_, n) =>
    ask('patch', '/clients/{client_id}', { names, headers, body: { client_name: `n${n}` }, type: 'application/merge-patch+json' })));
  assert.deepEqual(answers.map((each) => each.status).sort().reduce((all, status) => ({ ...all, [status]: (all[status] ?? 0) + 1 }), {}),
                   { 200: 1, 412: 99 });
  const won = answers.find((each) => each.status === 200);
  assert.equal((await ask('get', '/clients/{client_id}', { names })).body.client_name, won.body.client_name);
  assert.equal((await ask('patch', '/clients/{client_id}', { names, body: {} })).status, 428);
});

for (const [method, path, operation] of calls) {
  test(`T80 ${method.toUpperCase()} ${path} is refused to every scope but its own`, async () => {
    const names = { client_id: 'c_none', sub: 'u_none', sid: 'none', grant: 'A'.repeat(22), jti: 'A'.repeat(22) };
    const [needed] = operation.security[0].bearer;
    const call = (as) => openapi.ask(server, method, path, { names, headers: as ? { Authorization: `Bearer ${as}` } : {} });
    for (const scope of scopes) {
      const enough = scope === needed || `${scope}:read` === needed;
      const answer = await call(await machineToken(server, desk, scope));
      if (enough) assert.ok(![401, 403].includes(answer.status), `${scope}: ${answer.status}`);
      else assert.deepEqual([answer.status, answer.body.code], [403, 'insufficient_scope'], scope);
    }
    assert.equal((await call()).status, 401);
    assert.equal((await call('made.up.token')).status, 401);
  });
}

test('T80 nobody gives a client more than they have', async () => {
  const modest = await machineToken(server, desk, 'admin.clients');
  await sleep(1100);  // of those refused in one second some are noted, and there were many
  const refused = await ask('post', '/clients', { as: modest, body: { ...machine, scope: 'admin' } });
  assert.equal(refused.status, 403);
  const own = await ask('patch', '/clients/{client_id}', { as: modest, names: desk, headers: { 'If-Match': '*' }, body: { scope: 'admin read' } });
  assert.equal(own.status, 403);
  const { body } = await ask('get', '/events', { query: `?kind=administration_refused&client=${desk.client_id}&limit=1` });
  assert.equal(body.events[0].by, `client ${desk.client_id}`);
  assert.equal(body.events[0].request, own.headers.get('x-request-id'));
});

test('a token that was revoked administers nothing from that moment on, on no core', async () => {
  const gone = await machineToken(server, desk, 'admin.keys:read');
  assert.equal((await ask('get', '/keys', { as: gone })).status, 200);
  assert.equal((await post(`${server.url}/oauth/revoke`, { token: gone }, { client: desk })).status, 200);
  const answers = await Promise.all(Array.from({ length: 40 }, () => ask('get', '/keys', { as: gone })));
  assert.ok(answers.every((each) => each.status === 401));
});

test('what is taken back closes the WebSocket that was opened with it: token, grant, session, user', async () => {
  const sub = await subOf(user.name);
  const signIn = async (scope) => {
    const tokens = (await redeem(server, shop, await newCode(server, shop, new UserAgent(server.url), user, { scope }))).body;
    const known = (await introspect(server, desk, tokens.access_token));
    const socket = await Client.open(server.ws(), { token: tokens.access_token });
    return { ...known, socket };
  };
  const closes = async ({ socket }) => assert.equal((await within(10_000, socket.closed))?.code, 4001);

  const one = await signIn('topic:>:subscribe offline_access');
  assert.equal((await ask('delete', '/tokens/{jti}', { names: one })).status, 204);
  await closes(one);

  const two = await signIn('topic:>:subscribe offline_access');
  const [token] = (await ask('get', '/tokens', { query: `?user=${sub}` })).body.tokens.filter((each) => each.jti === two.jti);
  assert.equal((await ask('delete', '/grants/{grant}', { names: token })).status, 204);
  await closes(two);

  const three = await signIn('topic:>:subscribe');
  assert.ok((await ask('get', '/sessions', { query: `?user=${sub}` })).body.sessions.some((each) => each.sid === three.sid));
  assert.equal((await ask('delete', '/sessions/{sid}', { names: three })).status, 204);
  await closes(three);

  const four = await signIn('topic:>:subscribe');
  assert.equal((await ask('post', '/users/{sub}/disable', { names: { sub } })).body.enabled, false);
  await closes(four);
  assert.equal((await ask('post', '/users/{sub}/enable', { names: { sub } })).body.enabled, true);
});

test('people are added, given passwords and removed, and bodies are read strictly', async () => {
  const body = { preferred_username: 'grace', password: 'finds the first bug', email: 'grace@example.org' };
  const added = await ask('post', '/users', { body });
  assert.equal(added.status, 201);
  assert.equal((await ask('post', '/users', { body })).status, 409);
  assert.equal((await ask('post', '/users', { body: { ...body, role: 'boss' } })).body.detail, 'There is no member `role` here.');
  assert.equal((await ask('post', '/users', { body: '{"preferred_username":' })).status, 400);
  assert.equal((await ask('post', '/users', { body: 'x', type: 'text/plain' })).status, 415);
  const names = added.body;
  assert.equal((await ask('put', '/users/{sub}/password', { names, body: { password: 'another one of hers' } })).status, 200);
  assert.equal((await ask('get', '/users/{sub}', { names })).body.email, 'grace@example.org');
  assert.equal((await ask('delete', '/users/{sub}', { names })).status, 204);
  assert.equal((await ask('delete', '/users/{sub}', { names })).status, 204);
  assert.equal((await ask('get', '/users/{sub}', { names })).status, 404);
});

test('somebody gets another name by who has seen them, from here and from the command line', async () => {
  const added = await ask('post', '/users', { body: { preferred_username: 'mary', password: 'counts the curves' } });
  const names = added.body;
  const patch = (body, tag) => ask('patch', '/users/{sub}', { names, body, headers: tag ? { 'If-Match': tag } : {}, type: 'application/merge-patch+json' });
  assert.equal((await patch({ email: 'mary@example.org' })).status, 428);
  const seen = added.headers.get('etag');
  const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => patch({ preferred_username: `mary${n}` }, seen)));
  assert.deepEqual([answers.filter((each) => each.status === 200).length, answers.filter((each) => each.status === 412).length], [1, 19]);
  const won = answers.find((each) => each.status === 200).body.preferred_username;
  assert.equal((await patch({ preferred_username: user.name }, '*')).status, 409);
  const done = server.command('user', 'update', won, '--name', 'mary', '--email', 'mary@example.org');
  assert.equal(done.status, 0, done.err);
  const { preferred_username: name, email } = (await ask('get', '/users/{sub}', { names })).body;
  assert.deepEqual([name, email], ['mary', 'mary@example.org']);
});

test('a dry run tells what would end, as the document says, and ends nothing', async () => {
  const agent = new UserAgent(server.url);
  const tokens = (await redeem(server, shop, await newCode(server, shop, agent, user, { scope: 'topic:>:subscribe offline_access' }))).body;
  const names = { sub: await subOf(user.name), ...shop };
  const query = `?user=${names.sub}&client=${shop.client_id}`;
  for (const [method, path, more] of [['post', '/users/{sub}/disable', ''], ['delete', '/users/{sub}', ''],
                                      ['delete', '/clients/{client_id}', ''], ['delete', '/grants', query]]) {
    const told = await ask(method, path, { names, query: `${more || '?'}&dry_run=true`.replace('?&', '?') });
    assert.equal(told.status, 200, path);
    assert.ok(told.body.grants.some((grant) => grant.client_id === shop.client_id && grant.sub === names.sub), path);
  }
  assert.equal((await introspect(server, desk, tokens.access_token)).active, true);
});

test('keys are rotated, and tokens of those before stay good', async () => {
  const before = await ask('get', '/keys');
  const rotated = await ask('post', '/keys/rotate');
  const algorithms = new Set(before.body.keys.map((key) => key.alg));
  assert.equal(rotated.body.keys.length, before.body.keys.length + algorithms.size);
  assert.equal(rotated.body.keys.filter((key) => key.state === 'signing').length, algorithms.size);
  assert.ok(rotated.body.keys.every((key) => key.jwk.d === undefined));
  assert.equal((await ask('get', '/keys')).status, 200);
});

test('an event of a back end is in the trail a moment later', async () => {
  assert.equal((await ask('post', '/events', { body: { kind: 'invoice_paid', reason: 'order 7' } })).status, 202);
  const noted = async () => (await ask('get', '/events', { query: '?kind=custom.invoice_paid' })).body.events[0];
  const event = await until(noted);
  assert.deepEqual([event?.reason, event?.by], ['order 7', `client ${desk.client_id}`]);
});

test('what the command line takes back of a single grant closes its WebSockets, too', async () => {
  const sub = await subOf(user.name);
  const signIn = async () => {
    const tokens = (await redeem(server, shop, await newCode(server, shop, new UserAgent(server.url), user, { scope: 'topic:>:subscribe offline_access' }))).body;
    return { ...await introspect(server, desk, tokens.access_token), socket: await Client.open(server.ws(), { token: tokens.access_token }) };
  };
  const [one, two, three] = [await signIn(), await signIn(), await signIn()];
  const listed = JSON.parse(server.command('token', 'list', '--user', user.name, '--json').out);
  assert.deepEqual(listed, (await ask('get', '/tokens', { query: `?user=${sub}` })).body.tokens);
  const grantOf = ({ jti }) => listed.find((token) => token.jti === jti).grant;
  assert.equal(server.command('token', 'revoke', one.jti).status, 0);
  assert.equal((await within(10_000, one.socket.closed))?.code, 4001);
  assert.equal(server.command('grant', 'revoke', grantOf(two)).status, 0);
  assert.equal((await within(10_000, two.socket.closed))?.code, 4001);
  assert.equal((await introspect(server, desk, 'x')).active, false);
  assert.equal(await within(700, three.socket.closed), undefined);
  assert.equal(server.command('session', 'end', three.sid).status, 0);  // offline_access outlives it
  assert.equal(server.command('grant', 'forget', '--user', user.name, '--client', shop.client_id).status, 0);
  assert.equal((await within(10_000, three.socket.closed))?.code, 4001);
});
