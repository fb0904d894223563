// RFC 6749, OAuth 2.0: what an authorization server MUST do and can be seen doing from outside.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { callback, isRefused, scene, sentBack, staysHere, user } from './lib/scene.js';

const s = await scene();
const { server, web, other, app, two, machine } = s;
const machineForm = { grant_type: 'client_credentials' };
const inForm = (client, form) => s.post('/oauth/token', { ...form, client_id: client.client_id, client_secret: client.client_secret });

test('2.3 a client uses one way of authentication in a request, not two', async () => {
  const answer = await s.post('/oauth/token', { ...machineForm, client_id: machine.client_id, client_secret: machine.client_secret }, { client: machine });
  isRefused(answer, 400, 'invalid_request');
});
test('2.3.1 a client with a password may use HTTP Basic', async () => {
  assert.equal((await s.token(machine, machineForm)).status, 200);
});
test('2.3.1 credentials in the body are understood, in the URL they are not', async () => {
  assert.equal((await inForm(machine, machineForm)).status, 200);
  const query = new URLSearchParams({ client_id: machine.client_id, client_secret: machine.client_secret });
  assert.ok([400, 401].includes((await s.post(`/oauth/token?${query}`, machineForm)).status));
});
test('2.3.1 who guesses passwords is slowed down or refused, never let in', async () => {
  for (let i = 0; i < 30; ++i) {
    const answer = await s.token({ ...machine, client_secret: `guess ${i}` }, machineForm);
    assert.ok([401, 429].includes(answer.status));
  }
});
test('3.1 the authorization endpoint takes GET and may take POST', async () => {
  assert.ok([200, 302, 303].includes((await s.ask(web)).status));
  const url = s.url(web);
  const posted = await fetch(new URL(url.pathname, url), { method: 'POST', body: url.searchParams, redirect: 'manual' });
  assert.ok([200, 302, 303].includes(posted.status));
});
test('3.1 endpoints have no fragment', async () => {
  for (const [name, value] of Object.entries(await s.discovery())) if (/endpoint$/.test(name)) assert.equal(new URL(value).hash, '', name);
});
test('3.1 a parameter without a value counts as left out, an unknown one is ignored', async () => {
  assert.equal(sentBack(await s.ask(web, { response_type: '' })).error, 'invalid_request');
  const response = await s.ask(web, { flavour: 'mint', login_hint: '' });
  assert.ok(!(response.headers.get('location') ?? '').startsWith(callback));
});
test('3.1 a parameter comes once at most', async () => {
  for (const name of ['response_type', 'scope', 'state']) {
    const url = s.url(web);
    url.searchParams.append(name, 'again');
    assert.equal(sentBack(await fetch(url, { redirect: 'manual' })).error, 'invalid_request', name);
  }
});
test('3.1.1 a response_type that is missing or not understood is an error', async () => {
  assert.equal(sentBack(await s.ask(web, { response_type: undefined })).error, 'invalid_request');
  assert.equal(sentBack(await s.ask(web, { response_type: 'magic' })).error, 'unsupported_response_type');
});
test('3.1.2 a redirect URI with a fragment, or a relative one, is not registered', () => {
  for (const uri of ['https://a.example/cb#part', '/cb', 'cb'])
    assert.notEqual(server.command('client', 'add', '--name', 'x', '--redirect-uri', uri).status, 0, uri);
});
test('3.1.2 a query in the redirect URI is kept', async () => {
  const uri = `${callback}?tenant=7`;
  const client = await server.addClient('--name', 'Query', '--redirect-uri', uri, '--scope', 'notes');
  const back = sentBack(await s.ask(client, { redirect_uri: uri, response_type: 'magic' }));
  assert.deepEqual([back.tenant, back.error], ['7', 'unsupported_response_type']);
});
test('3.1.2.3 with several registered redirect URIs the request names one, and exactly', async () => {
  staysHere(await s.ask(two, { redirect_uri: undefined }));
  staysHere(await s.ask(two, { redirect_uri: `${callback}/3` }));
});
test('3.1.2.4 nobody is sent to an invalid redirect URI', async () => {
  staysHere(await s.ask(web, { redirect_uri: 'https://evil.example/' }));
  staysHere(await s.ask({ client_id: 'nobody' }));
});
test('3.2 the token endpoint takes POST alone', async () => {
  for (const method of ['GET', 'PUT', 'DELETE']) assert.equal((await fetch(`${server.url}/oauth/token`, { method })).status, 405);
});
test('3.2 at the token endpoint, too, empty is absent, unknown is ignored, twice is wrong', async () => {
  assert.equal((await s.token(machine, { ...machineForm, scope: '', colour: 'blue' })).status, 200);
  isRefused(await s.post('/oauth/token', 'grant_type=', { client: machine }), 400, 'invalid_request');
  isRefused(await s.post('/oauth/token', 'grant_type=client_credentials&grant_type=client_credentials', { client: machine }), 400, 'invalid_request');
});
test('3.2.1 a confidential client authenticates at the token endpoint', async () => {
  const code = await s.code(web);
  isRefused(await s.token({ client_id: web.client_id }, { grant_type: 'authorization_code', code: code.code, code_verifier: code.verifier, redirect_uri: callback }), 401, 'invalid_client');
  assert.equal((await s.redeem(web, code)).status, 200, 'and nothing was spent by the attempt');
});
test('3.3 a scope is told where it is not the one that was asked for, and letters have their case', async () => {
  const all = await s.token(machine, machineForm);
  assert.deepEqual(new Set(all.body.scope.split(' ')), new Set(['read', 'write', 'introspect', 'register']));
  isRefused(await s.token(machine, { ...machineForm, scope: 'READ' }), 400, 'invalid_scope');
  assert.equal((await s.token(machine, { ...machineForm, scope: 'write read' })).status, 200, 'their order does not matter');
});
test('4.1.1 client_id and response_type are required', async () => {
  staysHere(await s.ask({ client_id: undefined }));
  assert.equal(sentBack(await s.ask(web, { response_type: undefined })).error, 'invalid_request');
});
test('4.1.2 state comes back exactly', async () => {
  const state = 'a+b%20c&d=é"<>';
  const { arrived } = await s.code(web, { scope: 'notes', state });
  assert.equal(arrived.searchParams.get('state'), state);
});
test('4.1.2 a code is good once, and a second use takes back what it gave', async () => {
  const code = await s.code(web);
  const first = await s.redeem(web, code);
  isRefused(await s.redeem(web, code), 400, 'invalid_grant');
  assert.deepEqual(await s.seen(first.body.access_token), { active: false });
  isRefused(await s.refresh(web, first.body.refresh_token), 400, 'invalid_grant');
});
test('4.1.2 a code is bound to its client and its redirect URI', async () => {
  const code = await s.code(web);
  isRefused(await s.redeem(other, code), 400, 'invalid_grant');
  isRefused(await s.redeem(web, code, { redirect_uri: `${callback}/2` }), 400, 'invalid_grant');
  assert.equal((await s.redeem(web, code)).status, 200);
});
test('4.1.2.1 a person who says no sends access_denied and the state back', async () => {
  const agent = s.agent();
  const consent = await agent.login(await agent.open(s.url(web, { prompt: 'consent' })), user.name, user.password);
  const back = Object.fromEntries((await agent.decide(consent, 'deny')).callback.searchParams);
  assert.deepEqual([back.error, back.state, back.code], ['access_denied', 'st4te', undefined]);
});
test('4.1.2.1 a scope that is unknown or malformed is invalid_scope', async () => {
  for (const scope of ['fly', 'no"tes']) assert.equal(sentBack(await s.ask(web, { scope })).error, 'invalid_scope');
});
test('4.1.2.1 an error has characters of its set alone', async () => {
  const back = sentBack(await s.ask(web, { scope: 'no"tes\\é' }));
  assert.match(back.error_description ?? '', /^[\x20-\x21\x23-\x5b\x5d-\x7e]*$/);
});
test('4.1.3 redirect_uri is sent again where the request had one', async () => {
  const code = await s.code(web);
  const answer = await s.token(web, { grant_type: 'authorization_code', code: code.code, code_verifier: code.verifier });
  assert.equal(answer.status, 400);
  assert.ok(['invalid_request', 'invalid_grant'].includes(answer.body.error));
});
test('4.1.3 a code that never was is invalid_grant', async () => {
  isRefused(await s.redeem(web, { code: 'ac_never', verifier: 'v'.repeat(43) }), 400, 'invalid_grant');
});
test('4.4 client_credentials are for confidential clients alone', async () => {
  const answer = await s.token(app, machineForm);
  assert.ok(['unauthorized_client', 'invalid_client'].includes(answer.body.error));
});
test('5.1 tokens come as JSON that nobody keeps, with a type', async () => {
  const answer = await s.token(machine, machineForm);
  assert.match(answer.headers.get('content-type'), /^application\/json/);
  assert.match(answer.headers.get('cache-control'), /no-store/);
  assert.equal(answer.headers.get('pragma'), 'no-cache');
  assert.equal(answer.body.token_type.toLowerCase(), 'bearer');
  assert.ok(answer.body.access_token && Number.isInteger(answer.body.expires_in));
});
const errors = [
  ['a missing parameter', 'scope=read', 'invalid_request'],
  ['an unknown grant', 'grant_type=magic', 'unsupported_grant_type'],
  ['a grant that is not the client\'s', 'grant_type=refresh_token&refresh_token=x', 'unauthorized_client'],
  ['too much', 'grant_type=client_credentials&scope=admin', 'invalid_scope'],
];
for (const [name, form, error] of errors) {
  test(`5.2 ${name} is 400 ${error}, as JSON that nobody keeps`, async () => {
    const answer = await s.post('/oauth/token', form, { client: machine });
    isRefused(answer, 400, error);
    assert.match(answer.headers.get('cache-control'), /no-store/);
    assert.match(answer.body.error_description ?? '', /^[\x20-\x21\x23-\x5b\x5d-\x7e]*$/);
  });
}
test('5.2 who tried by Authorization and failed is answered 401 with its scheme', async () => {
  const answer = await s.token({ ...machine, client_secret: 'wrong' }, machineForm);
  isRefused(answer, 401, 'invalid_client');
  assert.match(answer.headers.get('www-authenticate'), /^Basic /);
});
test('5.2 (RFC 9110, 15.5.2) who tried by the body and failed is told a scheme, too', async () => {
  for (const path of ['token', 'introspect', 'revoke']) {
    const answer = await s.post(`/oauth/${path}`, { ...machineForm, token: 'x', client_id: machine.client_id, client_secret: 'wrong' });
    isRefused(answer, 401, 'invalid_client');
    assert.match(answer.headers.get('www-authenticate'), /^Basic /);
  }
});
test('6 a refresh token is bound to its client, who authenticates', async () => {
  const { refresh_token } = await s.tokens(web);
  isRefused(await s.refresh(other, refresh_token), 400, 'invalid_grant');
  isRefused(await s.refresh({ client_id: web.client_id }, refresh_token), 401, 'invalid_client');
  assert.equal((await s.refresh(web, refresh_token)).status, 200);
});
test('6 a refresh gives no more than was granted; left out, the same', async () => {
  const { refresh_token } = await s.tokens(web, 'notes drafts');
  isRefused(await s.refresh(web, refresh_token, { scope: 'notes profile' }), 400, 'invalid_scope');
  assert.equal((await s.refresh(web, refresh_token, { scope: 'notes' })).body.scope, 'notes');
  assert.deepEqual(new Set((await s.refresh(web, refresh_token)).body.scope.split(' ')), new Set(['notes', 'drafts']));
});
test('6 a new refresh token has the scope of the one before', async () => {
  const { refresh_token } = await s.tokens(app, 'notes drafts');
  const narrow = await s.refresh(app, refresh_token, { scope: 'notes' });
  const wide = await s.refresh(app, narrow.body.refresh_token);
  assert.deepEqual(new Set(wide.body.scope.split(' ')), new Set(['notes', 'drafts']));
});
test('7 a resource looks at the token: a made-up one opens nothing', async () => {
  assert.equal((await s.userinfo('made-up')).status, 401);
});
test('10.6 the redirect URI of the redemption is that of the request', async () => {
  const code = await s.code(two, { scope: 'notes', redirect_uri: `${callback}/2` });
  isRefused(await s.redeem(two, code, { redirect_uri: callback }), 400, 'invalid_grant');
});
test('10.12, 10.13 the pages that decide take no form of another site, and cannot be framed', async () => {
  const agent = s.agent();
  const page = await agent.open(s.url(web));
  assert.match(`${page.headers.get('content-security-policy')} ${page.headers.get('x-frame-options')}`, /frame-ancestors 'none'|DENY/i);
  const forged = await agent.fetch('/login', { method: 'POST', body: new URLSearchParams({ username: user.name, password: user.password }),
                                               headers: { Origin: 'https://evil.example', 'Content-Type': 'application/x-www-form-urlencoded' } });
  assert.ok(forged.status >= 400, `${forged.status}`);
});
