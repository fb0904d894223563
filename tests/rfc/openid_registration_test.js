// OpenID Connect Dynamic Client Registration 1.0: what it adds to RFC 7591.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { isRefused, jose, scene } from './lib/scene.js';
import { registrar } from './lib/registrar.js';

const s = await scene();
const { register, made, manage } = await registrar(s);

test('2 redirect_uris are required', async () => {
  isRefused(await register({ redirect_uris: undefined }), 400, 'invalid_redirect_uri');
});
test('2 ID tokens are signed with RS256 unless something else is asked for', async () => {
  const client = await made({ id_token_signed_response_alg: undefined });
  assert.equal(client.id_token_signed_response_alg, 'RS256');
  assert.equal(jose.decodeProtectedHeader((await s.tokens(client, 'openid')).id_token).alg, 'RS256');
});
test('2 and with what was asked for', async () => {
  const client = await made({ id_token_signed_response_alg: 'ES256' });
  assert.equal(jose.decodeProtectedHeader((await s.tokens(client, 'openid')).id_token).alg, 'ES256');
});
test('2 unsigned ID tokens are not given in the code flow without being asked for, nor here at all', async () => {
  isRefused(await register({ id_token_signed_response_alg: 'none' }), 400, 'invalid_client_metadata');
});
test('2 a kind of subject that is not offered is refused', async () => {
  isRefused(await register({ subject_type: 'pairwise' }), 400, 'invalid_client_metadata');
});
test('2 jwks and jwks_uri are not used together', async () => {
  isRefused(await register({ jwks: { keys: [] }, jwks_uri: 'https://a.example/k' }), 400, 'invalid_client_metadata');
});
test('2 redirect URIs of web applications are https, or of the loopback', async () => {
  isRefused(await register({ redirect_uris: ['http://shop.example/cb'] }), 400, 'invalid_redirect_uri');
  assert.equal((await register({ redirect_uris: ['https://shop.example/cb'] })).status, 201);
});
test('3.1 members that are not understood are ignored', async () => {
  assert.equal((await register({ 'client_name#de': 'Neuling', tos_uri: 'https://a.example/t', contacts: ['a@a.example'] })).status, 201);
});
test('3.2 the answer is 201 with an id, and where there is a token there is a URL for it', async () => {
  const { status, body } = await register();
  assert.equal(status, 201);
  assert.ok(body.client_id);
  assert.equal(Boolean(body.registration_access_token), Boolean(body.registration_client_uri));
  assert.ok('client_secret_expires_at' in body);
});
test('3.3 an error is 400 with JSON', async () => {
  const answer = await register({ redirect_uris: ['https://a.example/#x'] });
  isRefused(answer, 400, 'invalid_redirect_uri');
  assert.match(answer.headers.get('content-type'), /^application\/json/);
});
test('4.2, 4.3 a client reads what it is registered as', async () => {
  const client = await made();
  const answer = await manage('GET', client);
  assert.deepEqual([answer.status, answer.body.client_id], [200, client.client_id]);
});
test('4.4 a client that is not there, and one whose token is wrong, are 401', async () => {
  const client = await made();
  assert.equal((await manage('GET', client, undefined, 'wrong')).status, 401);
  const nobody = { ...client, registration_client_uri: `${s.server.url}/oauth/register/nobody` };
  assert.equal((await manage('GET', nobody)).status, 401);
});
