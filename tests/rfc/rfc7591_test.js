// RFC 7591, dynamic registration: what may be registered, by whom, and what comes back.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { callback, isRefused, scene } from './lib/scene.js';
import { metadata, registrar } from './lib/registrar.js';

const s = await scene();
const { register, made } = await registrar(s);

test('2 a client that leaves redirect URIs out, and would use them, is refused', async () => {
  isRefused(await register({ redirect_uris: undefined }), 400, 'invalid_redirect_uri');
});
test('2 what is left out takes its default, and the default is told', async () => {
  const { status, body } = await register('{"redirect_uris": ["https://a.example/cb"]}');
  assert.equal(status, 201);
  assert.equal(body.token_endpoint_auth_method, 'client_secret_basic');
  assert.deepEqual([body.grant_types, body.response_types], [['authorization_code'], ['code']]);
});
test('2 metadata that is not understood is ignored', async () => {
  const { status, body } = await register({ favourite_colour: 'blue' });
  assert.equal(status, 201);
  assert.equal(body.favourite_colour, undefined);
});
test('2 jwks and jwks_uri are not both there', async () => {
  isRefused(await register({ jwks: { keys: [] }, jwks_uri: 'https://a.example/keys' }), 400, 'invalid_client_metadata');
});
test('2.1 grant types and response types fit together', async () => {
  isRefused(await register({ grant_types: ['refresh_token'], response_types: ['code'] }), 400, 'invalid_client_metadata');
  isRefused(await register({ response_types: ['token'] }), 400, 'invalid_client_metadata');
});
test('3 the endpoint is protected where it says so', async () => {
  for (const token of ['wrong', await s.machineToken(s.machine, 'read')]) {
    const answer = await register({}, token);
    assert.ok([401, 403].includes(answer.status), `${answer.status}`);
    assert.match(answer.headers.get('www-authenticate'), /^Bearer/);
  }
});
test('3.1 it takes POST of JSON', async () => {
  assert.equal((await fetch(`${s.server.url}/oauth/register`)).status, 405);
  const form = await s.post('/oauth/register', metadata);
  assert.ok(form.status >= 400 && form.status < 500);
});
test('3.1 what is no JSON object is refused', async () => {
  for (const body of ['{', '[]', '"x"', 'null', '']) assert.equal((await register(body)).status, 400, body);
});
test('3.1.1 a software statement that nobody here trusts is refused by its name', async () => {
  isRefused(await register({ software_statement: 'e30.e30.' }), 400, 'invalid_software_statement');
});
test('3.2.1 the answer is 201, JSON, kept by nobody, with an id that nobody else has', async () => {
  const [one, two] = [await register(), await register()];
  assert.equal(one.status, 201);
  assert.match(one.headers.get('content-type'), /^application\/json/);
  assert.match(one.headers.get('cache-control'), /no-store/);
  assert.ok(one.body.client_id && two.body.client_id && one.body.client_id !== two.body.client_id);
});
test('3.2.1 with a secret comes its end, and a public client has none', async () => {
  const { body } = await register();
  assert.ok(body.client_secret.length >= 32);
  assert.ok(Number.isInteger(body.client_secret_expires_at));
  assert.equal((await register({ token_endpoint_auth_method: 'none' })).body.client_secret, undefined);
});
test('3.2.1 all that was registered comes back', async () => {
  const { body } = await register();
  for (const [name, value] of Object.entries(metadata)) assert.deepEqual(body[name], value, name);
});
test('3.2.1 the client is good for what it was registered for', async () => {
  const client = await made();
  const code = await s.code(client, { scope: 'openid' });
  assert.equal((await s.redeem(client, code)).status, 200);
});
const refused = [
  ['a redirect URI with a fragment', { redirect_uris: ['https://a.example/cb#x'] }, 'invalid_redirect_uri'],
  ['a redirect URI by plain http', { redirect_uris: ['http://a.example/cb'] }, 'invalid_redirect_uri'],
  ['a redirect URI that is script', { redirect_uris: ['javascript:alert(1)'] }, 'invalid_redirect_uri'],
  ['a redirect URI that is a number', { redirect_uris: [7] }, 'invalid_client_metadata'],
  ['no redirect URI', { redirect_uris: [] }, 'invalid_redirect_uri'],
  ['an unknown way to authenticate', { token_endpoint_auth_method: 'pigeon' }, 'invalid_client_metadata'],
  ['a grant that is not for the asking', { grant_types: ['client_credentials'] }, 'invalid_client_metadata'],
  ['a scope that is not for the asking', { scope: 'admin' }, 'invalid_client_metadata'],
];
for (const [name, more, error] of refused) {
  test(`3.2.2 ${name} is 400 ${error}`, async () => isRefused(await register(more), 400, error));
}
test('5 a client is known by its id alone: another one may have its name', async () => {
  const [one, two] = [await register({ redirect_uris: [callback] }), await register({ redirect_uris: [callback] })];
  assert.notEqual(one.body.client_secret, two.body.client_secret);
});
