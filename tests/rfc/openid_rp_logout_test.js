// OpenID Connect RP-Initiated Logout 1.0: who may send a browser away, and where it goes.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { scene } from './lib/scene.js';

const s = await scene();
const { server, web, other } = s;
const bye = 'http://127.0.0.1:9/bye';
const out = (agent, parameters) => agent.fetch(`/oauth/logout?${new URLSearchParams(parameters)}`);
const isSignedIn = async (agent) => {
  const page = await agent.open(s.url(web, { scope: 'openid', prompt: 'none' }));
  return page.callback.searchParams.get('code') !== null;
};
async function signedIn() {
  const agent = s.agent();
  return { agent, ...(await s.tokens(web, 'openid', agent)) };
}
const goesTo = (response) => response.headers.get('location') ?? '';

test('2 the endpoint takes GET and POST', async () => {
  const { agent, id_token } = await signedIn();
  assert.ok([302, 303].includes((await out(agent, { id_token_hint: id_token, post_logout_redirect_uri: bye })).status));
  assert.equal(await isSignedIn(agent), false);
  const again = await signedIn();
  const posted = await again.agent.fetch('/oauth/logout', { method: 'POST', body: `${new URLSearchParams({ id_token_hint: again.id_token, post_logout_redirect_uri: bye })}`,
                                                            headers: { 'Content-Type': 'application/x-www-form-urlencoded', Origin: server.url } });
  assert.ok(posted.status < 400, `${posted.status}`);
  assert.equal(await isSignedIn(again.agent), false);
});
test('2 without a hint the person is asked before anything ends', async () => {
  const { agent } = await signedIn();
  const answer = await out(agent, {});
  assert.equal(answer.status, 200);
  assert.match(await answer.text(), /<form/);
  assert.ok(await isSignedIn(agent));
});
test('2 a hint that is not of this server proves nothing', async () => {
  const { agent, id_token } = await signedIn();
  const [head, body] = id_token.split('.');
  for (const id_token_hint of [`${head}.${body}.AAAA`, `${Buffer.from('{"alg":"none"}').toString('base64url')}.${body}.`, 'x']) {
    const answer = await out(agent, { id_token_hint, post_logout_redirect_uri: bye });
    assert.ok(!goesTo(answer).startsWith(bye), id_token_hint);
    assert.ok(await isSignedIn(agent));
  }
});
test('2 client_id beside a hint is the client that the hint was given to', async () => {
  const { agent, id_token } = await signedIn();
  const answer = await out(agent, { id_token_hint: id_token, client_id: other.client_id, post_logout_redirect_uri: bye });
  assert.ok(!goesTo(answer).startsWith(bye));
  assert.ok(await isSignedIn(agent));
  const right = await out(agent, { id_token_hint: id_token, client_id: web.client_id, post_logout_redirect_uri: bye });
  assert.ok(goesTo(right).startsWith(bye));
});
test('2 logout_hint and ui_locales are no error', async () => {
  const { agent, id_token } = await signedIn();
  assert.ok((await out(agent, { id_token_hint: id_token, logout_hint: 'vera', ui_locales: 'de', post_logout_redirect_uri: bye })).status < 400);
});
test('3 the browser goes back to a registered URI alone, byte for byte', async () => {
  for (const post_logout_redirect_uri of ['https://evil.example/', `${bye}/`, `${bye}?x=1`, 'http://127.0.0.1:9/callback']) {
    const { agent, id_token } = await signedIn();
    const answer = await out(agent, { id_token_hint: id_token, post_logout_redirect_uri });
    assert.ok(!goesTo(answer).startsWith(post_logout_redirect_uri), post_logout_redirect_uri);
  }
});
test('2, 3 state comes back with the browser, exactly', async () => {
  const { agent, id_token } = await signedIn();
  const state = 'a+b%20&é';
  const to = new URL(goesTo(await out(agent, { id_token_hint: id_token, post_logout_redirect_uri: bye, state })));
  assert.equal(to.searchParams.get('state'), state);
});
test('2.1 discovery names the endpoint', async () => {
  assert.equal((await s.discovery()).end_session_endpoint, `${server.url}/oauth/logout`);
});
test('3.1 post_logout_redirect_uris can be registered', async () => {
  const token = await s.machineToken(s.machine, 'register');
  const answer = await s.json('/oauth/register', { method: 'POST', headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ redirect_uris: ['https://a.example/cb'], post_logout_redirect_uris: ['https://a.example/bye'] }) });
  assert.deepEqual(answer.body.post_logout_redirect_uris, ['https://a.example/bye']);
});
test('4 what is wrong sends nobody anywhere', async () => {
  const answer = await out(s.agent(), { post_logout_redirect_uri: 'https://evil.example/' });
  assert.ok(!goesTo(answer).includes('evil.example'));
});
test('2 the tokens of the session end with it', async () => {
  const { agent, id_token, access_token } = await signedIn();
  await out(agent, { id_token_hint: id_token });
  assert.deepEqual(await s.seen(access_token), { active: false });
});
