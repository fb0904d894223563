// OpenID Connect Back-Channel Logout 1.0: what the servers of clients are told when a session ends.
import { after, test } from 'node:test';
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { sleep, until } from '../e2e/lib/server.js';
import { callback, jose, scene } from './lib/scene.js';

const told = { a: [], b: [] };
const receiver = createServer(async (request, response) => {
  let body = '';
  for await (const piece of request) body += piece;
  told[request.url.slice(1)].push({ method: request.method, type: request.headers['content-type'], form: new URLSearchParams(body), headers: request.headers });
  response.end();
});
await new Promise((ready) => receiver.listen(0, '127.0.0.1', ready));
after(() => { receiver.closeAllConnections(); receiver.close(); });
const uri = (name) => `http://127.0.0.1:${receiver.address().port}/${name}`;

let a, b;
const s = await scene({ oauth: 'fetch_unsafe_allow_addresses = ["127.0.0.1"]\n', more: async (server) => {
  const all = ['--redirect-uri', callback, '--grant', 'authorization_code', '--grant', 'refresh_token', '--scope', 'openid notes offline_access'];
  a = await server.addClient('--name', 'A', ...all, '--backchannel-logout-uri', uri('a'));
  b = await server.addClient('--name', 'B', ...all, '--backchannel-logout-uri', uri('b'));
} });

/// One person with grants for both clients signs out; gives what both were told, and the ID tokens.
async function signedOut() {
  told.a.length = told.b.length = 0;
  const agent = s.agent();
  const [of_a, of_b] = [await s.tokens(a, 'openid', agent), await s.tokens(b, 'openid', agent)];
  const answer = await agent.fetch(`/oauth/logout?id_token_hint=${of_a.id_token}`);
  assert.ok(answer.status < 400);
  await until(() => told.a.length > 0 && told.b.length > 0);
  return { of_a, of_b };
}
const { of_a, of_b } = await signedOut();
const verified = (notice, client) => s.verified(notice.form.get('logout_token'), { audience: client.client_id });

test('2.1 discovery says that it is supported, and with a session', async () => {
  const document = await s.discovery();
  assert.deepEqual([document.backchannel_logout_supported, document.backchannel_logout_session_supported], [true, true]);
});
test('2.3 each client with a grant in the session is told, once', async () => {
  await sleep(1000);
  assert.deepEqual([told.a.length, told.b.length], [1, 1]);
});
test('2.5 by POST of a form with logout_token', () => {
  for (const notice of [told.a[0], told.b[0]]) {
    assert.equal(notice.method, 'POST');
    assert.match(notice.type, /^application\/x-www-form-urlencoded/);
    assert.deepEqual([...notice.form.keys()], ['logout_token']);
  }
});
test('2.4 the token has iss, aud, iat, exp, jti and events, and is signed', async () => {
  const { payload, protectedHeader } = await verified(told.a[0], a);
  for (const name of ['iss', 'aud', 'iat', 'exp', 'jti', 'events']) assert.ok(payload[name], name);
  assert.deepEqual(payload.events, { 'http://schemas.openid.net/event/backchannel-logout': {} });
  assert.notEqual(protectedHeader.alg, 'none');
});
test('2.4 it names the person and the session of the ID token', async () => {
  for (const [notice, client, tokens] of [[told.a[0], a, of_a], [told.b[0], b, of_b]]) {
    const { payload } = await verified(notice, client);
    const { sub, sid } = jose.decodeJwt(tokens.id_token);
    assert.deepEqual([payload.sub, payload.sid], [sub, sid]);
  }
});
test('2.4 it has no nonce, so that it is no ID token', async () => {
  const { payload, protectedHeader } = await verified(told.a[0], a);
  assert.ok(!('nonce' in payload));
  assert.equal(protectedHeader.typ, 'logout+jwt');
});
test('2.4 it is short-lived, and each has a jti of its own', async () => {
  const [one, two] = [(await verified(told.a[0], a)).payload, (await verified(told.b[0], b)).payload];
  assert.ok(one.exp - one.iat <= 120);
  assert.notEqual(one.jti, two.jti);
});
test('2.4 it is no access token and no hint of a sign-out', async () => {
  const token = told.a[0].form.get('logout_token');
  assert.equal((await s.userinfo(token)).status, 401);
  const agent = s.agent();
  await s.tokens(a, 'openid', agent);
  const answer = await agent.fetch(`/oauth/logout?id_token_hint=${token}`);
  assert.match(await answer.text(), /<form/, 'the person is asked');
});
test('2.7 refresh tokens of the session end with it, those for a person who is away do not', async () => {
  const agent = s.agent();
  const away = await s.tokens(a, 'openid offline_access', agent, { prompt: 'consent' });
  const here = await s.tokens(a, 'notes', agent);
  await agent.fetch(`/oauth/logout?id_token_hint=${away.id_token}`);
  assert.equal((await s.refresh(a, away.refresh_token)).status, 200);
  assert.equal((await s.refresh(a, here.refresh_token)).status, 400);
});
