// RFC 7592, management of a registration: by its own token, at its own URL.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { isRefused, scene } from './lib/scene.js';
import { metadata, registrar } from './lib/registrar.js';

const s = await scene();
const { made, manage } = await registrar(s);

test('3 the answer to a registration names where it is managed, and by which token', async () => {
  const client = await made();
  assert.ok(client.registration_client_uri.startsWith(s.server.url));
  assert.ok(client.registration_access_token.length >= 32);
});
test('2.1 GET reads it: 200, JSON, kept by nobody', async () => {
  const client = await made();
  const answer = await manage('GET', client);
  assert.equal(answer.status, 200);
  assert.match(answer.headers.get('cache-control'), /no-store/);
  assert.equal(answer.body.client_id, client.client_id);
  for (const [name, value] of Object.entries(metadata)) assert.deepEqual(answer.body[name], value, name);
});
test('2.1 without its token, with a wrong one or another client\'s: 401', async () => {
  const [client, stranger] = [await made(), await made()];
  for (const token of ['', 'wrong', stranger.registration_access_token]) {
    for (const method of ['GET', 'DELETE']) assert.equal((await manage(method, client, undefined, token)).status, 401, `${method} ${token}`);
  }
});
test('2.2 PUT replaces all: what is left out takes its default', async () => {
  const client = await made({ client_name: 'First' });
  const answer = await manage('PUT', client, { client_id: client.client_id, redirect_uris: ['https://b.example/cb'] });
  assert.equal(answer.status, 200);
  assert.deepEqual(answer.body.redirect_uris, ['https://b.example/cb']);
  assert.notEqual(answer.body.client_name, 'First');
});
test('2.2 a PUT with another client_id, or with none, changes nothing', async () => {
  const client = await made();
  for (const client_id of ['somebody', undefined]) {
    const answer = await manage('PUT', client, { ...metadata, client_id, client_name: 'Changed' });
    assert.equal(answer.status, 400);
  }
  assert.equal((await manage('GET', client)).body.client_name, metadata.client_name);
});
test('2.2 a PUT bears nothing that the server gives', async () => {
  const client = await made();
  for (const name of ['registration_access_token', 'registration_client_uri', 'client_id_issued_at', 'client_secret_expires_at']) {
    const answer = await manage('PUT', client, { ...metadata, client_id: client.client_id, [name]: client[name] ?? 1 });
    assert.equal(answer.status, 400, name);
  }
});
test('2.2 a client does not choose its secret', async () => {
  const client = await made();
  const answer = await manage('PUT', client, { ...metadata, client_id: client.client_id, client_secret: 'one of my own choice, long enough' });
  assert.equal(answer.status, 400);
  assert.equal((await s.token(client, { grant_type: 'refresh_token', refresh_token: 'x' })).body.error, 'invalid_grant', 'the first secret holds');
});
test('2.2 an invalid PUT is refused as a registration would be', async () => {
  const client = await made();
  isRefused(await manage('PUT', client, { ...metadata, client_id: client.client_id, redirect_uris: ['http://a.example/cb'] }), 400, 'invalid_redirect_uri');
  isRefused(await manage('PUT', client, { ...metadata, client_id: client.client_id, scope: 'admin' }), 400, 'invalid_client_metadata');
});
test('2.3 DELETE is 204, and ends the client, its token and what it was given', async () => {
  const client = await made();
  const tokens = await s.tokens(client, 'openid');
  const answer = await manage('DELETE', client);
  assert.equal(answer.status, 204);
  assert.equal((await manage('GET', client)).status, 401);
  assert.deepEqual(await s.seen(tokens.access_token), { active: false });
  isRefused(await s.token(client, { grant_type: 'refresh_token', refresh_token: 'x' }), 401, 'invalid_client');
});
test('3 a new token, where one comes, takes the place of the one before', async () => {
  const client = await made();
  const next = (await manage('PUT', client, { ...metadata, client_id: client.client_id })).body;
  assert.notEqual(next.registration_access_token, client.registration_access_token);
  assert.equal((await manage('GET', client)).status, 401);
  assert.equal((await manage('GET', next)).status, 200);
});
