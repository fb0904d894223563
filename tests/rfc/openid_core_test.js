// OpenID Connect Core 1.0 with the code flow: ID tokens, requests and their prompts, userinfo, refresh.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { authorizeUrl, callback, jose, scene, second, sentBack, staysHere, user } from './lib/scene.js';

const s = await scene();
const { server, web, other, app } = s;
const openid = { scope: 'openid' };
const idToken = async (agent = s.agent(), more = {}, client = web) =>
  (await s.verified((await s.tokens(client, 'openid', agent, more)).id_token, { audience: client.client_id })).payload;
const asksForPassword = async (agent, parameters) => {
  const page = await agent.open(s.url(web, { ...openid, ...parameters }));
  return !page.callback && page.body.includes('type="password"');
};
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

test('2 an ID token has iss, sub, aud, exp and iat, and is signed', async () => {
  const claims = await idToken();
  assert.equal(claims.iss, server.url);
  assert.deepEqual([claims.aud].flat(), [web.client_id]);
  assert.match(claims.sub, /^[\x21-\x7e]{1,255}$/);
  assert.ok(Number.isInteger(claims.exp) && Number.isInteger(claims.iat) && claims.exp > claims.iat);
});
test('2 the nonce of the request stands in it unchanged; without one, none does', async () => {
  const nonce = 'n-0S6_Wz"A2Mj é';
  assert.equal((await idToken(s.agent(), { nonce })).nonce, nonce);
  assert.equal((await idToken()).nonce, undefined);
});
test('2 auth_time is there when max_age was sent', async () => {
  assert.ok(Math.abs((await idToken(s.agent(), { max_age: '1000' })).auth_time - Date.now() / 1000) < 60);
});
test('3.1.2.1 the authorization endpoint takes GET and POST', async () => {
  const url = authorizeUrl(server, web, { ...s.challenge, ...openid, prompt: 'none' });
  assert.equal(sentBack(await fetch(url, { redirect: 'manual' })).error, 'login_required');
  // A form of another site comes without cookies: it is led on to where browsers send them.
  const led = await fetch(new URL(url.pathname, url), { method: 'POST', body: url.searchParams, redirect: 'manual' });
  assert.equal(led.status, 303);
  const way = new URL(led.headers.get('location'), url);
  assert.equal(way.pathname, url.pathname);
  assert.equal(sentBack(await fetch(way, { redirect: 'manual' })).error, 'login_required');
});
test('3.1.2.1 redirect_uri is required and matches exactly', async () => {
  staysHere(await s.ask(web, { ...openid, redirect_uri: undefined }));
  staysHere(await s.ask(web, { ...openid, redirect_uri: `${callback}/` }));
});
test('3.1.2.1 without openid there is no ID token', async () => {
  assert.equal((await s.tokens(web, 'notes')).id_token, undefined);
});
test('3.1.2.1 prompt=none shows no page: login_required, consent_required, or a code', async () => {
  assert.equal(sentBack(await s.ask(web, { ...openid, prompt: 'none' })).error, 'login_required');
  const agent = s.agent();
  await s.tokens(web, 'openid', agent);
  assert.ok((await agent.open(s.url(web, { ...openid, prompt: 'none' }))).callback.searchParams.get('code'));
  assert.equal((await agent.open(s.url(other, { scope: 'openid drafts', prompt: 'none' }))).callback.searchParams.get('error'), 'consent_required');
});
test('3.1.2.1 prompt=none with another value is an error', async () => {
  assert.equal(sentBack(await s.ask(web, { ...openid, prompt: 'none login' })).error, 'invalid_request');
});
test('3.1.2.1 prompt=login asks again though somebody is signed in, and auth_time is new', async () => {
  const agent = s.agent();
  const first = await idToken(agent);
  await sleep(1100);
  assert.ok(await asksForPassword(agent, { prompt: 'login' }));
  assert.ok((await idToken(agent, { prompt: 'login' })).auth_time > first.auth_time);
});
test('3.1.2.1 prompt=consent asks again though it was agreed', async () => {
  const agent = s.agent();
  await s.tokens(web, 'openid', agent);
  const page = await agent.open(s.url(web, { ...openid, prompt: 'consent' }));
  assert.ok(page.form('consent'));
});
test('3.1.2.1 a sign-in that is older than max_age is repeated, a younger one is not', async () => {
  const agent = s.agent();
  await s.tokens(web, 'openid', agent);
  assert.equal(await asksForPassword(agent, { max_age: '1000' }), false);
  await sleep(2100);
  assert.ok(await asksForPassword(agent, { max_age: '1' }));
});
test('3.1.2.1 id_token_hint of who is signed in is a success, of somebody else an error', async () => {
  const [agent, stranger] = [s.agent(), s.agent()];
  const { id_token } = await s.tokens(web, 'openid', agent);
  assert.ok((await agent.open(s.url(web, { ...openid, prompt: 'none', id_token_hint: id_token }))).callback.searchParams.get('code'));
  await s.code(web, openid, stranger, second);
  const back = (await stranger.open(s.url(web, { ...openid, prompt: 'none', id_token_hint: id_token }))).callback;
  assert.equal(back.searchParams.get('error'), 'login_required');
});
test('3.1.2.1, 15.1 display, ui_locales, claims_locales, acr_values and login_hint are no error', async () => {
  const more = { display: 'popup', ui_locales: 'de fr', claims_locales: 'de', acr_values: 'urn:x 2', login_hint: user.name };
  assert.ok((await s.code(web, { ...openid, ...more })).code);
});
test('3.1.2.3 the person is authenticated, with a defence against forged requests', async () => {
  const answer = await fetch(`${server.url}/login`, { method: 'POST', redirect: 'manual',
    body: new URLSearchParams({ username: user.name, password: user.password }) });
  assert.ok(answer.status >= 400, `${answer.status}`);
});
test('3.1.2.4 without consent nothing is given', async () => {
  const agent = s.agent();
  const page = await agent.login(await agent.open(s.url(web, { scope: 'openid email', prompt: 'consent' })), user.name, user.password);
  assert.equal((await agent.decide(page, 'deny')).callback.searchParams.get('code'), null);
});
test('3.1.2.6, 6.1 request and request_uri, which are not spoken, have errors of their own', async () => {
  assert.equal(sentBack(await s.ask(web, { ...openid, request: 'e30.e30.' })).error, 'request_not_supported');
  assert.equal(sentBack(await s.ask(web, { ...openid, request_uri: 'https://a.example/r' })).error, 'request_uri_not_supported');
  assert.equal(sentBack(await s.ask(web, { ...openid, registration: '{}' })).error, 'registration_not_supported');
});
test('3.1.3.3 the answer has an ID token, is Bearer, and kept by nobody', async () => {
  const answer = await s.redeem(web, await s.code(web, openid));
  assert.ok(answer.body.id_token);
  assert.equal(answer.body.token_type, 'Bearer');
  assert.match(answer.headers.get('cache-control'), /no-store/);
});
test('3.1.3.6 at_hash is the left half of the hash of the access token', async () => {
  const tokens = await s.tokens(web, 'openid');
  const half = createHash('sha256').update(tokens.access_token).digest().subarray(0, 16).toString('base64url');
  assert.equal(jose.decodeJwt(tokens.id_token).at_hash, half);
});
test('5.3.1 userinfo takes GET and POST, and a bearer token', async () => {
  const { access_token } = await s.tokens(web, 'openid');
  for (const method of ['GET', 'POST']) assert.equal((await s.userinfo(access_token, { method })).status, 200, method);
});
test('5.3.2 userinfo is JSON, always with sub, the sub of the ID token', async () => {
  const tokens = await s.tokens(web, 'openid');
  const answer = await s.userinfo(tokens.access_token);
  assert.match(answer.headers.get('content-type'), /^application\/json/);
  assert.equal((await answer.json()).sub, jose.decodeJwt(tokens.id_token).sub);
});
test('5.3.3 an error of userinfo is told as RFC 6750 tells it', async () => {
  const answer = await s.userinfo('wrong');
  assert.equal(answer.status, 401);
  assert.match(answer.headers.get('www-authenticate'), /error="invalid_token"/);
});
test('5.4 the scopes profile and email bring their claims, and no others do', async () => {
  const info = async (scope) => (await s.userinfo((await s.tokens(web, scope)).access_token)).json();
  assert.equal((await info('openid email')).email, user.email);
  assert.equal((await info('openid profile')).preferred_username, user.name);
  assert.deepEqual(Object.keys(await info('openid')), ['sub']);
});
test('5.5 a claims parameter is understood, and what is not known in it is passed over', async () => {
  const claims = JSON.stringify({ userinfo: { email: { essential: true }, shoe_size: null }, id_token: { auth_time: { essential: true } } });
  const tokens = await s.tokens(web, 'openid', s.agent(), { claims });
  assert.equal((await (await s.userinfo(tokens.access_token)).json()).email, user.email);
  assert.ok(jose.decodeJwt(tokens.id_token).auth_time);
});
test('5.4, 5.5 claims of the person stand in the ID token where the request wants them there, and not for a scope alone', async () => {
  assert.equal((await idToken()).email, undefined);
  assert.equal(jose.decodeJwt((await s.tokens(web, 'openid email profile')).id_token).email, undefined);
  const claims = JSON.stringify({ id_token: { email: { essential: true }, preferred_username: null } });
  const told = jose.decodeJwt((await s.tokens(web, 'openid', s.agent(), { claims })).id_token);
  assert.deepEqual([told.email, told.preferred_username], [user.email, user.name]);
});
test('5.5.1 a claim that is asked for with values comes with one of them, or not', async () => {
  const told = async (email) => jose.decodeJwt((await s.tokens(web, 'openid', s.agent(), { claims: JSON.stringify({ id_token: { email } }) })).id_token).email;
  assert.equal(await told({ value: user.email }), user.email);
  assert.equal(await told({ values: ['x@example.org', user.email] }), user.email);
  assert.equal(await told({ value: 'x@example.org' }), undefined);
});
test('5.5, 12.2 what was asked for stands in the ID token of a refresh, too', async () => {
  const claims = JSON.stringify({ id_token: { email: null } });
  const first = await s.tokens(web, 'openid offline_access', s.agent(), { claims, prompt: 'consent' });
  assert.equal(jose.decodeJwt((await s.refresh(web, first.refresh_token)).body.id_token).email, user.email);
});
test('5.5.1.1 an essential acr that cannot be met is an error', async () => {
  const claims = JSON.stringify({ id_token: { acr: { essential: true, values: ['urn:gold'] } } });
  assert.ok(sentBack(await s.ask(web, { ...openid, claims })).error);
});
test('8 a sub is one person\'s, and the same for each client', async () => {
  const [one, again] = [await idToken(), await idToken(s.agent(), {}, other)];
  assert.equal(one.sub, again.sub);
  const tokens = await s.redeem(web, await s.code(web, openid, s.agent(), second));
  assert.notEqual(jose.decodeJwt(tokens.body.id_token).sub, one.sub);
});
test('10.1 kid names the key that signed; 15.1 RS256 is spoken', async () => {
  const { id_token } = await s.tokens(web, 'openid');
  const header = jose.decodeProtectedHeader(id_token);
  const { keys } = await (await fetch(`${server.url}/oauth/jwks`)).json();
  assert.equal(header.alg, 'RS256');
  assert.equal(keys.filter((key) => key.kid === header.kid).length, 1);
});
test('11 a refresh token for a person who is away is given with offline_access and consent alone', async () => {
  assert.equal((await s.tokens(web, 'openid')).refresh_token, undefined);
  const agent = s.agent();
  await s.tokens(web, 'openid', agent);
  const page = await agent.open(s.url(web, { scope: 'openid offline_access', prompt: 'consent' }));
  assert.ok(page.form('consent'), 'a person is asked');
  assert.ok((await s.tokens(web, 'openid offline_access', s.agent(), { prompt: 'consent' })).refresh_token);
});
test('12.2 an ID token that comes with a refresh is of the same person, sign-in and client', async () => {
  const first = await s.tokens(app, 'openid offline_access', s.agent(), { prompt: 'consent', nonce: 'once' });
  await sleep(1100);
  const next = (await s.refresh(app, first.refresh_token)).body;
  assert.ok(next.access_token);
  const [before, now] = [jose.decodeJwt(first.id_token), jose.decodeJwt(next.id_token)];
  for (const name of ['iss', 'sub', 'aud', 'auth_time']) assert.deepEqual(now[name], before[name], name);
  assert.ok(now.iat >= before.iat);
  assert.equal(now.nonce, undefined);
});
