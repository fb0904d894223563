// RFC 6750, bearer tokens: how the resource of this server (userinfo) takes them, and what it says when it does not.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { scene } from './lib/scene.js';

const s = await scene();
const { server, web, machine } = s;
const { access_token } = await s.tokens(web, 'openid profile');
const challenge = (response) => response.headers.get('www-authenticate') ?? '';

test('2.1 a token in the Authorization header is taken, whatever the case of the scheme', async () => {
  for (const scheme of ['Bearer', 'bearer', 'BEARER'])
    assert.equal((await s.userinfo(undefined, { headers: { Authorization: `${scheme} ${access_token}` } })).status, 200, scheme);
});
test('2.2 in a body it is taken from a form by POST alone', async () => {
  const form = { method: 'POST', body: new URLSearchParams({ access_token }) };
  assert.equal((await s.userinfo(undefined, form)).status, 200);
  const json = { method: 'POST', body: JSON.stringify({ access_token }), headers: { 'Content-Type': 'application/json' } };
  assert.ok([400, 401].includes((await s.userinfo(undefined, json)).status));
});
test('2 a token is shown in one way, not in two', async () => {
  const answer = await s.userinfo(access_token, { method: 'POST', body: new URLSearchParams({ access_token }) });
  assert.equal(answer.status, 400);
  assert.match(challenge(answer), /error="invalid_request"/);
});
test('2.3 a token in the URL is not taken, so no log can have it', async () => {
  assert.ok([400, 401].includes((await fetch(`${server.url}/oauth/userinfo?access_token=${access_token}`)).status));
});
test('3 whoever shows nothing is answered 401 with a challenge, and without an error', async () => {
  const answer = await s.userinfo();
  assert.equal(answer.status, 401);
  assert.match(challenge(answer), /^Bearer/);
  assert.doesNotMatch(challenge(answer), /error=/);
});
test('3 a challenge names each attribute once', async () => {
  for (const token of [undefined, 'wrong', await s.machineToken(machine, 'read')]) {
    const names = [...challenge(await s.userinfo(token)).matchAll(/(\w+)="/g)].map((match) => match[1]);
    assert.equal(new Set(names).size, names.length, `${names}`);
  }
});
test('3.1 a token that is malformed, unknown or revoked is 401 invalid_token', async () => {
  const { access_token: gone } = await s.tokens(web, 'openid');
  await s.post('/oauth/revoke', { token: gone }, { client: web });
  for (const token of ['wrong', 'a.b.c', gone]) {
    const answer = await s.userinfo(token);
    assert.equal(answer.status, 401);
    assert.match(challenge(answer), /^Bearer .*error="invalid_token"/);
  }
});
test('3.1 a token without the scope is 403 insufficient_scope', async () => {
  const answer = await s.userinfo(await s.machineToken(machine, 'read'));
  assert.equal(answer.status, 403);
  assert.match(challenge(answer), /error="insufficient_scope"/);
});
test('4 the answer with a token has a type and is kept by nobody', async () => {
  const answer = await s.token(machine, { grant_type: 'client_credentials' });
  assert.equal(answer.body.token_type.toLowerCase(), 'bearer');
  assert.match(answer.headers.get('cache-control'), /no-store/);
});
test('5.2 a token lives shortly: an hour at most', async () => {
  assert.ok((await s.token(machine, { grant_type: 'client_credentials' })).body.expires_in <= 3600);
});
test('5.2 a token that was changed in one place opens nothing', async () => {
  const [head, body, signature] = access_token.split('.');
  const claims = JSON.parse(Buffer.from(body, 'base64url'));
  const forged = Buffer.from(JSON.stringify({ ...claims, sub: 'somebody' })).toString('base64url');
  assert.equal((await s.userinfo(`${head}.${forged}.${signature}`)).status, 401);
});
