// RFC 9700, the best current practice of security: its rules for authorization servers.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { callback, isRefused, jose, scene, sentBack, staysHere, user } from './lib/scene.js';

const s = await scene({ oauth: 'code_lifetime = "4s"\nrefresh_grace = "0s"\n' });
const { server, web, other, app, machine } = s;
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

test('2.1, 4.1.3 redirect URIs are compared as they stand', async () => {
  for (const redirect_uri of [`${callback}/`, `${callback}?a=b`, callback.toUpperCase(), 'http://127.0.0.1:9/%63allback', `${callback}/../callback`])
    staysHere(await s.ask(web, { redirect_uri }));
});
test('2.1 only the port of the loopback address is free, for native applications', async () => {
  const native = await server.addClient('--name', 'Native', '--public', '--redirect-uri', 'http://127.0.0.1/cb', '--scope', 'notes');
  assert.ok([200, 302, 303].includes((await s.ask(native, { redirect_uri: 'http://127.0.0.1:51000/cb' })).status));
  staysHere(await s.ask(native, { redirect_uri: 'http://127.0.0.1:51000/other' }));
});
test('2.1, 4.11 nobody is redirected to where a stranger wants', async () => {
  staysHere(await s.ask(web, { redirect_uri: 'https://evil.example/' }));
  const agent = s.agent();
  const login = await agent.open(`${s.url(web)}&next=https://evil.example/`);
  const landed = await agent.login(login, user.name, user.password);
  assert.ok(!landed.callback || landed.callback.href.startsWith(callback));
});
test('2.1.1 PKCE is there, and its method tells the challenge nothing', async () => {
  assert.deepEqual((await s.discovery()).code_challenge_methods_supported, ['S256']);
  assert.equal(sentBack(await s.ask(app, { code_challenge: undefined, code_challenge_method: undefined })).error, 'invalid_request');
});
test('2.1.1, 4.8 a verifier without a challenge is refused: nobody takes PKCE away on the way', async () => {
  const lax = await server.addClient('--name', 'Lax', '--redirect-uri', callback, '--scope', 'notes', '--no-pkce');
  const code = await s.code(lax, { scope: 'notes', code_challenge: undefined, code_challenge_method: undefined });
  isRefused(await s.redeem(lax, code), 400, 'invalid_grant');
});
test('2.1.2 no token comes from the authorization endpoint', async () => {
  for (const response_type of ['token', 'id_token', 'id_token token', 'code token', 'code id_token'])
    assert.equal(sentBack(await s.ask(web, { response_type })).error, 'unsupported_response_type', response_type);
});
test('2.2.2, 4.14 refresh tokens of public clients change at each use, and a reuse ends the family', async () => {
  const first = await s.tokens(app);
  const next = (await s.refresh(app, first.refresh_token)).body;
  assert.notEqual(next.refresh_token, first.refresh_token);
  await sleep(1100);
  isRefused(await s.refresh(app, first.refresh_token), 400, 'invalid_grant');
  isRefused(await s.refresh(app, next.refresh_token), 400, 'invalid_grant');
  assert.deepEqual(await s.seen(next.access_token), { active: false });
});
test('2.3 a token is for its audience, and has no more scope than asked for', async () => {
  const claims = jose.decodeJwt(await s.machineToken(machine, 'read'));
  assert.equal(claims.scope, 'read');
  assert.ok(claims.aud);
});
test('2.4 the password grant is not spoken', async () => {
  isRefused(await s.token(web, { grant_type: 'password', username: user.name, password: user.password }), 400, 'unsupported_grant_type');
});
test('2.5 clients may prove themselves by a key', async () => {
  assert.ok((await s.discovery()).token_endpoint_auth_methods_supported.includes('private_key_jwt'));
});
test('2.6 the metadata is published', async () => {
  assert.equal((await s.json('/.well-known/oauth-authorization-server')).status, 200);
});
test('4.2.4 pages tell nobody where they were reached from', async () => {
  const page = await s.agent().open(s.url(web));
  assert.equal(page.headers.get('referrer-policy'), 'no-referrer');
});
test('4.3.2 a code is good once and for a short time', async () => {
  const code = await s.code(web);
  await sleep(5200);
  isRefused(await s.redeem(web, code), 400, 'invalid_grant');
});
test('4.4 each response says whose it is', async () => {
  assert.equal((await s.code(web)).arrived.searchParams.get('iss'), server.url);
});
test('4.5 a code is for its client and its verifier: who injects another\'s gets nothing', async () => {
  const code = await s.code(web);
  isRefused(await s.redeem(other, code), 400, 'invalid_grant');
  isRefused(await s.redeem(web, code, { code_verifier: 'v'.repeat(43) }), 400, 'invalid_grant');
});
test('4.10 a token that was found is ended by its client', async () => {
  const token = await s.machineToken();
  await s.post('/oauth/revoke', { token }, { client: machine });
  assert.deepEqual(await s.seen(token), { active: false });
});
test('4.12 the redirect after a form is 303, so that no password is sent on', async () => {
  const agent = s.agent();
  const login = await agent.open(s.url(web, { prompt: 'login' }));
  const form = login.form('password');
  const body = new URLSearchParams(form.fields.filter((field) => field.name && !field.button).map((field) =>
    [field.name, field.type === 'password' ? user.password : field.type === 'text' ? user.name : field.value]));
  const answer = await agent.fetch(new URL(form.action, login.url), { method: 'POST', body: `${body}`,
    headers: { 'Content-Type': 'application/x-www-form-urlencoded', Origin: server.url } });
  assert.equal(answer.status, 303);
});
test('4.13 what a proxy would say is not believed of a stranger', async () => {
  const document = await s.json('/.well-known/openid-configuration', { headers: { 'X-Forwarded-Host': 'evil.example', 'X-Forwarded-Proto': 'gopher' } });
  assert.equal(document.body.issuer, server.url);
});
test('4.16 the pages cannot be framed', async () => {
  const page = await s.agent().open(s.url(web));
  assert.match(page.headers.get('content-security-policy'), /frame-ancestors 'none'/);
});
test('4.17 a response by form goes to the redirect URI alone', async () => {
  const answer = await s.ask(web, { response_mode: 'form_post', scope: 'fly' });
  const page = await answer.text();
  assert.match(page, new RegExp(`action="${callback}"`));
  assert.ok(!page.includes('postMessage'));
});
