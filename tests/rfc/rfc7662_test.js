// RFC 7662, introspection: who may ask, and what is told.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { until } from '../e2e/lib/server.js';
import { isRefused, scene, user } from './lib/scene.js';

const orders = 'https://orders.example', stock = 'https://stock.example';
const s = await scene({
  oauth: `resources = ["${orders}", "${stock}"]\n`,
  more: async (at, made) => made.orders = await at.addClient('--name', 'Orders', '--grant', 'client_credentials', '--resource', orders),
});
const { server, web, other, app, machine, opaque } = s;
const ask = (client, form) => s.post('/oauth/introspect', form, { client });

test('2.1 the endpoint takes POST of a form, and token is required', async () => {
  assert.equal((await fetch(`${server.url}/oauth/introspect`)).status, 405);
  isRefused(await ask(machine, {}), 400, 'invalid_request');
});
test('2.1 it is protected: who asks proves who they are', async () => {
  const token = await s.machineToken();
  isRefused(await s.post('/oauth/introspect', { token }), 401, 'invalid_client');
  isRefused(await ask({ ...machine, client_secret: 'x' }, { token }), 401, 'invalid_client');
  const byPublic = await s.post('/oauth/introspect', { token, client_id: app.client_id });
  assert.ok([400, 401, 403].includes(byPublic.status));
});
test('2.1 a wrong hint does not hide the token', async () => {
  const token = await s.machineToken();
  for (const token_type_hint of ['refresh_token', 'magic']) assert.equal((await ask(machine, { token, token_type_hint })).body.active, true);
});
test('2.2 the answer is JSON with the boolean active', async () => {
  const answer = await ask(machine, { token: await s.machineToken() });
  assert.match(answer.headers.get('content-type'), /^application\/json/);
  assert.equal(answer.body.active, true);
});
test('2.2 of a live token it says whose it is and until when', async () => {
  const tokens = await s.tokens(web, 'openid notes');
  const about = await s.seen(tokens.access_token);
  assert.equal(about.client_id, web.client_id);
  assert.equal(about.username, user.name);
  assert.equal(about.iss, server.url);
  assert.deepEqual(new Set(about.scope.split(' ')), new Set(['openid', 'notes']));
  assert.ok(Number.isInteger(about.exp) && Number.isInteger(about.iat) && about.exp > about.iat);
  assert.ok(about.sub && about.jti);
});
test('2.2 what is unknown, revoked or of no form is told to be inactive, and nothing more', async () => {
  const gone = await s.machineToken(opaque);
  await s.post('/oauth/revoke', { token: gone }, { client: opaque });
  for (const token of ['unknown', 'a.b.c', 'at_AAAA', gone, 'x'.repeat(5000)]) assert.deepEqual((await ask(machine, { token })).body, { active: false });
});
test('2.2 who may not know a token is told that it is inactive', async () => {
  const tokens = await s.tokens(web);
  assert.deepEqual(await s.seen(tokens.access_token, other), { active: false });
  assert.equal((await s.seen(tokens.access_token, web)).active, true);
});
test('2.2 a token whose user has been disabled is inactive', async () => {
  const tokens = await s.tokens(web);
  assert.equal(server.command('user', 'disable', user.name).status, 0);
  let seen;
  await until(async () => !(seen = await s.seen(tokens.access_token)).active);
  assert.deepEqual(seen, { active: false });
  assert.equal(server.command('user', 'enable', user.name).status, 0);
  assert.ok(await until(() => s.tokens(web).catch(() => undefined)), 'the user does not begin anew');
});
test('2.3 an error is told as RFC 6749 tells it', async () => {
  const answer = await s.post('/oauth/introspect', { token: 'x' }, { client: { ...machine, client_secret: 'wrong' } });
  isRefused(answer, 401, 'invalid_client');
  assert.match(answer.headers.get('www-authenticate'), /^Basic/);
});
test('4 a used refresh token, and one of a family that is over, are inactive', async () => {
  const first = await s.tokens(app);
  const next = (await s.refresh(app, first.refresh_token)).body;
  assert.deepEqual(await s.seen(first.refresh_token), { active: false });
  assert.equal((await s.seen(next.refresh_token)).active, true);
  await s.post('/oauth/revoke', { token: next.refresh_token, client_id: app.client_id });
  assert.deepEqual(await s.seen(next.refresh_token), { active: false });
});
test('4 a protected resource is told of the tokens that can be used there, and of no other', async () => {
  const tokenFor = async (more) => (await s.token(machine, { grant_type: 'client_credentials', scope: 'read', ...more })).body.access_token;
  assert.equal((await s.seen(await tokenFor({ resource: orders }), s.orders)).client_id, machine.client_id);
  for (const more of [{ resource: stock }, {}]) assert.deepEqual(await s.seen(await tokenFor(more), s.orders), { active: false });
});
