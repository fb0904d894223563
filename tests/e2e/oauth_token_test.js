// POST /oauth/token, /introspect, /revoke: codes are spent once, refresh families fall
// together, bad input gets the error of the RFC and changes nothing.
import { test, before } from 'node:test';
import assert from 'node:assert/strict';
import { serve } from './lib/server.js';
import { UserAgent } from './lib/user_agent.js';
import { basic, callback, introspect, machineToken, newCode, pkce, post, redeem } from './lib/oauth.js';

const user = { name: 'dave', password: 'twelve monkeys typing' };
const server = await serve({ prepare: (s) => s.addUser(user.name, user.password) });
const agent = new UserAgent(server.url);
let web, other, native, machine;
before(async () => {
  const all = ['--redirect-uri', callback, '--grant', 'authorization_code', '--grant', 'refresh_token', '--scope', 'openid offline_access notes'];
  web = await server.addClient('--name', 'Web', ...all);
  other = await server.addClient('--name', 'Other', ...all);
  native = await server.addClient('--name', 'Native', '--public', ...all);
  machine = await server.addClient('--name', 'Machine', '--grant', 'client_credentials', '--scope', 'read write');
});
const token = (form, options) => post(`${server.url}/oauth/token`, form, options);
const codeFor = (client) => newCode(server, client, agent, user, { scope: 'openid offline_access notes' });
const refused = (answer, status, error) => {
  assert.deepEqual([answer.status, answer.body.error], [status, error], JSON.stringify(answer.body));
  assert.match(answer.headers.get('content-type'), /^application\/json/);
  assert.equal(answer.headers.get('cache-control'), 'no-store');
  assert.match(answer.body.error_description ?? '', /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/);
};

test('a code is spent once: a second redemption takes back what the first one gave', async () => {
  const code = await codeFor(web);
  const first = await redeem(server, web, code);
  assert.equal(first.status, 200);
  refused(await redeem(server, web, code), 400, 'invalid_grant');
  assert.deepEqual(await introspect(server, web, first.body.access_token), { active: false });
  refused(await token({ grant_type: 'refresh_token', refresh_token: first.body.refresh_token }, { client: web }), 400, 'invalid_grant');
});

test('of a hundred redemptions at once, one at most succeeds', async () => {
  const code = await codeFor(web);
  const answers = await Promise.all(Array.from({ length: 100 }, () => redeem(server, web, code)));
  const good = answers.filter((answer) => answer.status === 200);
  assert.equal(good.length, 1);
  for (const answer of answers.filter((each) => each.status !== 200)) refused(answer, 400, 'invalid_grant');
  assert.deepEqual(await introspect(server, web, good[0].body.access_token), { active: false });
});

test('what cannot redeem a code does not burn it', async () => {
  const code = await codeFor(web);
  const tries = [
    ['another client', await redeem(server, other, code), 'invalid_grant'],
    ['a wrong verifier', await redeem(server, web, { ...code, verifier: pkce().verifier }), 'invalid_grant'],
    ['another redirect URI', await redeem(server, web, code, { redirect_uri: `${callback}/2` }), 'invalid_grant'],
    ['no verifier', await redeem(server, web, { ...code, verifier: '' }), 'invalid_grant'],
    ['no redirect URI', await redeem(server, web, code, { redirect_uri: '' }), 'invalid_request'],
  ];
  for (const [name, answer, error] of tries) {
    assert.equal(answer.status, 400, name);
    assert.equal(answer.body.error, error, `${name}: ${JSON.stringify(answer.body)}`);
  }
  assert.equal((await redeem(server, web, code)).status, 200);
});

test('a changed, cut or invented code is invalid_grant', async () => {
  const code = await codeFor(web);
  for (const wrong of [code.code.slice(0, -1), `${code.code}A`, code.code.replace(/.$/, (c) => (c === 'A' ? 'B' : 'A')), 'x', 'ac_AAAA', '☃', "' OR 1=1 --"]) {
    refused(await redeem(server, web, { ...code, code: wrong }), 400, 'invalid_grant');
  }
});

test('a public client\'s refresh token rotates; the old one replays the same successor', async () => {
  const { body: first } = await redeem(server, native, await codeFor(native));
  const refresh = (refresh_token) => token({ grant_type: 'refresh_token', refresh_token, client_id: native.client_id });
  const second = await refresh(first.refresh_token);
  assert.equal(second.status, 200);
  const again = await refresh(first.refresh_token);
  assert.equal(again.body.refresh_token, second.body.refresh_token);
  const third = await refresh(second.body.refresh_token);
  assert.equal(third.status, 200);
  // The successor has been used, so the grace is over: the old token is stolen, and all of its family falls.
  refused(await refresh(first.refresh_token), 400, 'invalid_grant');
  refused(await refresh(third.body.refresh_token), 400, 'invalid_grant');
  assert.deepEqual(await introspect(server, web, third.body.access_token), { active: false });
});

test('a refresh token belongs to its client', async () => {
  const { body } = await redeem(server, web, await codeFor(web));
  refused(await token({ grant_type: 'refresh_token', refresh_token: body.refresh_token }, { client: other }), 400, 'invalid_grant');
  assert.equal((await token({ grant_type: 'refresh_token', refresh_token: body.refresh_token }, { client: web })).status, 200);
});

test('refreshing may narrow the scope and never widen it', async () => {
  const { body } = await redeem(server, web, await codeFor(web));
  const refresh = (scope) => token({ grant_type: 'refresh_token', refresh_token: body.refresh_token, scope }, { client: web });
  refused(await refresh('openid notes admin'), 400, 'invalid_scope');
  const narrow = await refresh('notes');
  assert.equal(narrow.status, 200);
  assert.equal(narrow.body.scope, 'notes');
});

test('an access token is no refresh token, and the other way about', async () => {
  const { body } = await redeem(server, web, await codeFor(web));
  refused(await token({ grant_type: 'refresh_token', refresh_token: body.access_token }, { client: web }), 400, 'invalid_grant');
  for (const wrong of [body.refresh_token, body.id_token]) {
    const response = await fetch(`${server.url}/oauth/userinfo`, { headers: { Authorization: `Bearer ${wrong}` } });
    assert.equal(response.status, 401);
    assert.match(response.headers.get('www-authenticate'), /^Bearer .*error="invalid_token"/);
  }
});

const machineForm = { grant_type: 'client_credentials' };
const inHeader = (value) => ({ headers: { Authorization: value } });
const authentication = [
  ['a wrong secret', machineForm, () => ({ client: { ...machine, client_secret: 'wrong' } }), 401, 'invalid_client'],
  ['an unknown client', machineForm, () => ({ client: { client_id: 'nobody', client_secret: 'x' } }), 401, 'invalid_client'],
  ['no client at all', machineForm, () => ({}), 401, 'invalid_client'],
  ['a confidential client without its secret', () => ({ ...machineForm, client_id: machine.client_id }), () => ({}), 401, 'invalid_client'],
  ['two ways at once', () => ({ ...machineForm, client_id: machine.client_id, client_secret: machine.client_secret }),
   () => ({ client: machine }), 400, 'invalid_request'],
  ['another client_id in the body', { ...machineForm, client_id: 'someone-else' }, () => ({ client: machine }), 400, 'invalid_request'],
  ['an empty secret', machineForm, () => ({ client: { ...machine, client_secret: '' } }), 401, 'invalid_client'],
];
for (const [name, form, options, status, error] of authentication) {
  test(`${name} is refused as ${error}`, async () => {
    const answer = await token(typeof form === 'function' ? form() : form, options());
    refused(answer, status, error);
    if (status === 401 && options().client) assert.match(answer.headers.get('www-authenticate'), /^Basic realm="/);
  });
}
test('a broken Authorization header is refused', async () => {
  for (const value of ['Basic', 'Basic !!!', `Basic ${Buffer.from('nocolon').toString('base64')}`, 'Bearer x', 'Digest x', `basic ${Buffer.from('%zz:x').toString('base64')}`]) {
    const answer = await token(machineForm, inHeader(value));
    assert.ok([400, 401].includes(answer.status), `${value}: ${answer.status}`);
    assert.ok(['invalid_client', 'invalid_request'].includes(answer.body.error), JSON.stringify(answer.body));
  }
});
test('an unknown client and a wrong secret are told alike', async () => {
  const one = await token(machineForm, { client: { ...machine, client_secret: 'wrong' } });
  const two = await token(machineForm, { client: { client_id: 'nobody', client_secret: 'wrong' } });
  assert.deepEqual(one.body, two.body);
});

const bad = [
  ['no body', '', 'invalid_request'],
  ['no grant type', 'scope=read', 'invalid_request'],
  ['an empty grant type', 'grant_type=', 'invalid_request'],
  ['an unknown grant type', 'grant_type=magic', 'unsupported_grant_type'],
  ['the password grant', 'grant_type=password&username=a&password=b', 'unsupported_grant_type'],
  ['a grant the client may not use', 'grant_type=refresh_token&refresh_token=x', 'unauthorized_client'],
  ['grant type twice', 'grant_type=client_credentials&grant_type=client_credentials', 'invalid_request'],
  ['scope twice', 'grant_type=client_credentials&scope=read&scope=write', 'invalid_request'],
  ['a scope not allowed', 'grant_type=client_credentials&scope=admin', 'invalid_scope'],
  ['a scope with forbidden characters', 'grant_type=client_credentials&scope=re%22ad', 'invalid_scope'],
  ['ten thousand scopes', `grant_type=client_credentials&scope=${Array.from({ length: 10_000 }, (_, i) => i).join('+')}`, 'invalid_scope|invalid_request'],
  ['a broken percent sign', 'grant_type=client_credentials&scope=%zz', 'invalid_request'],
  ['a percent sign at the end', 'grant_type=client_credentials&scope=a%4', 'invalid_request'],
  ['a NUL', 'grant_type=client_credentials&scope=a%00b', 'invalid_request|invalid_scope'],
  ['bytes that are no UTF-8', 'grant_type=client_credentials&scope=%ff%fe', 'invalid_request|invalid_scope'],
  ['a hundred parameters', `grant_type=client_credentials&${Array.from({ length: 100 }, (_, i) => `p${i}=1`).join('&')}`, 'invalid_request'],
  ['a value of 9 KiB', `grant_type=client_credentials&x=${'v'.repeat(9 * 1024)}`, 'invalid_request'],
];
test('a bad form is refused with the error of the RFC', async (t) => {
  for (const [name, form, errors] of bad) {
    await t.test(name, async () => {
      const answer = await token(form, { client: machine });
      assert.equal(answer.status, 400, JSON.stringify(answer.body));
      assert.ok(errors.split('|').includes(answer.body.error), JSON.stringify(answer.body));
    });
  }
});

test('unknown and empty parameters are as if they were not there', async () => {
  assert.equal((await token({ ...machineForm, scope: '', flavour: 'mint' }, { client: machine })).status, 200);
});

test('a body of a megabyte is refused', async () => {
  const answer = await token(`grant_type=client_credentials&x=${'v'.repeat(1024 * 1024)}`, { client: machine }).catch(() => ({ status: 413 }));
  assert.ok([400, 413].includes(answer.status), `${answer.status}`);
});

test('a body that is no form is refused', async () => {
  for (const type of ['application/json', 'multipart/form-data; boundary=x', 'text/plain']) {
    const answer = await token('{"grant_type":"client_credentials"}', { client: machine, headers: { 'Content-Type': type } });
    refused(answer, 400, 'invalid_request');
  }
});

test('the wrong method is 405 and says which is right', async () => {
  for (const [path, allowed] of [['/oauth/token', /POST/], ['/oauth/introspect', /POST/], ['/oauth/revoke', /POST/]]) {
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const response = await fetch(server.url + path, { method });
      assert.equal(response.status, 405, `${method} ${path}`);
      assert.match(response.headers.get('allow'), allowed);
    }
  }
});

test('a secret in the query is no authentication', async () => {
  const query = new URLSearchParams({ client_id: machine.client_id, client_secret: machine.client_secret });
  const answer = await post(`${server.url}/oauth/token?${query}`, machineForm);
  assert.ok([400, 401].includes(answer.status), `${answer.status}`);
});

test('introspection needs a client, and what it does not know is just not active', async () => {
  refused(await post(`${server.url}/oauth/introspect`, { token: 'x' }), 401, 'invalid_client');
  refused(await post(`${server.url}/oauth/introspect`, {}, { client: machine }), 400, 'invalid_request');
  for (const wrong of ['x', 'a.b.c', 'at_AAAA', '☃', 'y'.repeat(8000)]) {
    assert.deepEqual(await introspect(server, machine, wrong), { active: false });
  }
  const good = await machineToken(server, machine);
  const seen = await introspect(server, machine, good);
  assert.equal(seen.active, true);
  assert.ok(seen.exp > seen.iat && seen.iss === server.url);
  const hinted = await post(`${server.url}/oauth/introspect`, { token: good, token_type_hint: 'refresh_token' }, { client: machine });
  assert.equal(hinted.body.active, true, 'a wrong hint does not hide a token');
});

test('revocation answers 200 for what is unknown, and spares another client\'s token', async () => {
  assert.equal((await post(`${server.url}/oauth/revoke`, { token: 'unknown' }, { client: machine })).status, 200);
  refused(await post(`${server.url}/oauth/revoke`, {}, { client: machine }), 400, 'invalid_request');
  refused(await post(`${server.url}/oauth/revoke`, { token: 'x' }), 401, 'invalid_client');
  const good = await machineToken(server, machine);
  await post(`${server.url}/oauth/revoke`, { token: good }, { client: other });
  assert.equal((await introspect(server, machine, good)).active, true);
  assert.equal((await post(`${server.url}/oauth/revoke`, { token: good }, { client: machine })).status, 200);
  assert.deepEqual(await introspect(server, machine, good), { active: false });
});

test('userinfo without a token is 401 without an error', async () => {
  const response = await fetch(`${server.url}/oauth/userinfo`);
  assert.equal(response.status, 401);
  assert.match(response.headers.get('www-authenticate'), /^Bearer/);
  assert.doesNotMatch(response.headers.get('www-authenticate'), /error=/);
});

test('the keys show public parts alone', async () => {
  const { keys } = await (await fetch(`${server.url}/oauth/jwks`)).json();
  assert.ok(keys.some((key) => key.alg === 'ES256') && keys.some((key) => key.alg === 'RS256'));
  for (const key of keys) {
    assert.equal(key.use, 'sig');
    assert.ok(key.kid);
    for (const secret of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k']) assert.equal(key[secret], undefined, secret);
  }
});

test('a client that encodes its credentials is understood', async () => {
  assert.equal((await token(machineForm, inHeader(basic(machine).replace('Basic', 'basic')))).status, 200);
});
