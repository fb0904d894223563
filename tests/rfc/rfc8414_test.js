// RFC 8414, authorization server metadata: where it is, what it must name, and that it is true.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { scene } from './lib/scene.js';

const s = await scene();
const { server, web, machine } = s;
const path = '/.well-known/oauth-authorization-server';
const { status, headers, body } = await s.json(path);

test('3 it is at its well-known path, by GET', async () => {
  assert.equal(status, 200);
  assert.equal((await fetch(server.url + path, { method: 'POST' })).status, 405);
});
test('3.2 it is a JSON object, and what has no value is left out', () => {
  assert.match(headers.get('content-type'), /^application\/json/);
  for (const [name, value] of Object.entries(body)) {
    assert.notEqual(value, null, name);
    if (Array.isArray(value)) assert.ok(value.length > 0, name);
  }
});
test('2, 3.3 the issuer is the one whose document was asked for, an origin without query and fragment', () => {
  assert.equal(body.issuer, server.url);
  assert.deepEqual([new URL(body.issuer).search, new URL(body.issuer).hash], ['', '']);
});
test('3.3 the issuer is not taken from the Host header', async () => {
  const { request } = await import('node:http');
  const text = await new Promise((done, fail) => {
    request(server.url + path, { headers: { Host: 'evil.example' } }, async (answer) => {
      let all = '';
      for await (const piece of answer) all += piece;
      done(all);
    }).on('error', fail).end();
  });
  assert.ok(!text.includes('evil.example'));
});
test('2 what must be there is there', () => {
  for (const name of ['issuer', 'authorization_endpoint', 'token_endpoint', 'response_types_supported']) assert.ok(body[name], name);
});
test('2 every URL is one of the server, and leads somewhere', async () => {
  for (const [name, value] of Object.entries(body)) {
    if (!/(_endpoint|_uri)$/.test(name)) continue;
    assert.ok(value.startsWith(server.url), name);
    assert.notEqual((await fetch(value, { redirect: 'manual' })).status, 404, name);
  }
});
test('2 ways to authenticate: no algorithm "none", and those that are named work', async () => {
  for (const list of Object.entries(body).filter(([name]) => /signing_alg_values_supported$/.test(name))) assert.ok(!list[1].includes('none'), list[0]);
  assert.ok(body.token_endpoint_auth_methods_supported.includes('client_secret_basic'));
  assert.equal((await s.token(machine, { grant_type: 'client_credentials' })).status, 200);
});
test('2 with private_key_jwt its algorithms are named', () => {
  if (body.token_endpoint_auth_methods_supported.includes('private_key_jwt'))
    assert.ok(body.token_endpoint_auth_signing_alg_values_supported?.length > 0);
});
test('2 grants that are named are understood, and one that is not is not', async () => {
  for (const grant_type of body.grant_types_supported) {
    const answer = await s.token(web, { grant_type });
    assert.notEqual(answer.body.error, 'unsupported_grant_type', grant_type);
  }
  assert.equal((await s.token(web, { grant_type: 'password' })).body.error, 'unsupported_grant_type');
});
test('2 the keys are at jwks_uri, public ones alone, each with its own name', async () => {
  const { keys } = await (await fetch(body.jwks_uri)).json();
  assert.ok(keys.length > 0);
  assert.equal(new Set(keys.map((key) => key.kid)).size, keys.length);
  for (const key of keys) for (const secret of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k']) assert.equal(key[secret], undefined);
});
test('2 the methods of PKCE that are named are the ones that are taken', () => {
  assert.deepEqual(body.code_challenge_methods_supported, ['S256']);
});
