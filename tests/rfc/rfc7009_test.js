// RFC 7009, revocation: who may take what back, and what goes with it.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { isRefused, scene } from './lib/scene.js';

const s = await scene();
const { server, web, other, app, machine, opaque } = s;
const revoke = (client, form) => (client.client_secret ? s.post('/oauth/revoke', form, { client }) : s.post('/oauth/revoke', { ...form, client_id: client.client_id }));

test('2 refresh tokens can be revoked, and access tokens as well', async () => {
  const tokens = await s.tokens(web);
  assert.equal((await revoke(web, { token: tokens.access_token })).status, 200);
  assert.deepEqual(await s.seen(tokens.access_token), { active: false });
  assert.equal((await revoke(web, { token: tokens.refresh_token })).status, 200);
  isRefused(await s.refresh(web, tokens.refresh_token), 400, 'invalid_grant');
});
test('2 the endpoint takes POST alone', async () => {
  assert.equal((await fetch(`${server.url}/oauth/revoke`)).status, 405);
});
test('2.1 token is required', async () => {
  isRefused(await revoke(web, {}), 400, 'invalid_request');
});
test('2.1 the client is known first: an unknown one and a wrong secret are refused', async () => {
  isRefused(await revoke({ client_id: 'nobody', client_secret: 'x' }, { token: 'x' }), 401, 'invalid_client');
  isRefused(await revoke({ ...web, client_secret: 'x' }, { token: 'x' }), 401, 'invalid_client');
  isRefused(await s.post('/oauth/revoke', { token: 'x' }), 401, 'invalid_client');
});
test('2.1 a public client revokes by its id', async () => {
  const tokens = await s.tokens(app);
  assert.equal((await revoke(app, { token: tokens.refresh_token })).status, 200);
  isRefused(await s.refresh(app, tokens.refresh_token), 400, 'invalid_grant');
});
test('2.1 a token of another client is not revoked', async () => {
  const tokens = await s.tokens(web);
  await revoke(other, { token: tokens.refresh_token });
  await revoke(other, { token: tokens.access_token });
  assert.equal((await s.seen(tokens.access_token)).active, true);
  assert.equal((await s.refresh(web, tokens.refresh_token)).status, 200);
});
test('2.1 a hint that is wrong or unknown does not hide the token', async () => {
  for (const token_type_hint of ['access_token', 'refresh_token', 'magic']) {
    const tokens = await s.tokens(web);
    assert.equal((await revoke(web, { token: tokens.refresh_token, token_type_hint })).status, 200);
    isRefused(await s.refresh(web, tokens.refresh_token), 400, 'invalid_grant');
  }
});
test('2.1 with a refresh token go the access tokens of its grant', async () => {
  const tokens = await s.tokens(web);
  const more = (await s.refresh(web, tokens.refresh_token)).body;
  await revoke(web, { token: tokens.refresh_token });
  for (const token of [tokens.access_token, more.access_token]) assert.deepEqual(await s.seen(token), { active: false });
});
test('2.1 revocation is at once', async () => {
  const token = await s.machineToken(opaque);
  assert.equal((await s.seen(token)).active, true);
  await revoke(opaque, { token });
  assert.deepEqual(await s.seen(token), { active: false });
});
test('2.2 an invalid token is answered 200, too, and twice as well', async () => {
  for (const token of ['unknown', 'a.b.c', 'rt_AAAA']) assert.equal((await revoke(web, { token })).status, 200, token);
  const token = await s.machineToken();
  for (let i = 0; i < 2; ++i) assert.equal((await revoke(machine, { token })).status, 200);
});
test('2.2.1 an error is told as RFC 6749 tells it', async () => {
  const answer = await revoke(web, {});
  assert.match(answer.headers.get('content-type'), /^application\/json/);
  assert.equal(typeof answer.body.error, 'string');
});
