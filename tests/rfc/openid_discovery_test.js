// OpenID Connect Discovery 1.0: the document of the provider.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { jose, scene } from './lib/scene.js';

const s = await scene();
const { server, web } = s;
const { status, headers, body } = await s.json('/.well-known/openid-configuration');

test('4.1, 4.2 it is at its well-known path, by GET, as JSON', () => {
  assert.equal(status, 200);
  assert.match(headers.get('content-type'), /^application\/json/);
});
test('3 all that is required is there', () => {
  for (const name of ['issuer', 'authorization_endpoint', 'token_endpoint', 'jwks_uri', 'response_types_supported', 'subject_types_supported',
                      'id_token_signing_alg_values_supported']) assert.ok(body[name], name);
});
test('3 RS256 is among the algorithms of ID tokens', () => {
  assert.ok(body.id_token_signing_alg_values_supported.includes('RS256'));
});
test('3 openid is among the scopes', () => {
  assert.ok(body.scopes_supported.includes('openid'));
});
test('3 what is not supported, and would count as supported without a word, is denied', () => {
  assert.equal(body.request_uri_parameter_supported, false);
});
test('3 what is offered works: each algorithm of ID tokens', async () => {
  for (const alg of body.id_token_signing_alg_values_supported) {
    const client = await server.addClient('--name', alg, '--redirect-uri', 'http://127.0.0.1:9/callback', '--scope', 'openid', '--id-token-alg', alg);
    const { id_token } = await s.tokens(client, 'openid');
    assert.equal((await s.verified(id_token, { audience: client.client_id })).protectedHeader.alg, alg);
  }
});
test('4.3 the issuer is where it was found, and what ID tokens say', async () => {
  assert.equal(body.issuer, server.url);
  assert.equal(jose.decodeJwt((await s.tokens(web, 'openid')).id_token).iss, body.issuer);
});
test('4.2 claims without values are left out', () => {
  for (const [name, value] of Object.entries(body)) if (Array.isArray(value)) assert.ok(value.length > 0, name);
});
test('3 the keys have their use, and none has a private part', async () => {
  const { keys } = await (await fetch(body.jwks_uri)).json();
  for (const key of keys) {
    assert.equal(key.use, 'sig');
    assert.equal(key.d, undefined);
  }
});
