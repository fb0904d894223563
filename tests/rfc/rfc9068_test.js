// RFC 9068, JWT access tokens: what they must say, and what a resource must refuse.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { isRefused, jose, scene } from './lib/scene.js';

const resource = 'https://api.example/orders';
const s = await scene({ oauth: `resources = ["${resource}"]\n` });
const { server, web, machine } = s;
const read = async (token) => ({ header: jose.decodeProtectedHeader(token), claims: jose.decodeJwt(token) });

test('2.1 it is signed, by an algorithm that is not none, and its type is at+jwt', async () => {
  const { header } = await read(await s.machineToken());
  assert.equal(header.typ.toLowerCase(), 'at+jwt');
  assert.ok(header.alg && header.alg !== 'none');
  await s.verified(await s.machineToken());
});
test('2.1 RS256 can be had', async () => {
  const client = await server.addClient('--name', 'R', '--grant', 'client_credentials', '--scope', 'read', '--access-token-alg', 'RS256');
  assert.equal((await read(await s.machineToken(client))).header.alg, 'RS256');
});
test('2.2 iss, exp, aud, sub, client_id, iat and jti are there', async () => {
  const { claims } = await read(await s.machineToken());
  for (const name of ['iss', 'exp', 'aud', 'sub', 'client_id', 'iat', 'jti']) assert.ok(claims[name], name);
  assert.equal(claims.iss, server.url);
  assert.equal(claims.client_id, machine.client_id);
});
test('2.2 without a user sub is the client; with one, the user', async () => {
  assert.equal((await read(await s.machineToken())).claims.sub, machine.client_id);
  const tokens = await s.tokens(web, 'openid');
  const { claims } = await read(tokens.access_token);
  assert.notEqual(claims.sub, web.client_id);
  assert.equal(claims.sub, jose.decodeJwt(tokens.id_token).sub);
});
test('2.2 each token has a jti of its own', async () => {
  const all = await Promise.all(Array.from({ length: 20 }, async () => (await read(await s.machineToken())).claims.jti));
  assert.equal(new Set(all).size, 20);
});
test('2.2.1 auth_time is when the person signed in, and stays so over a refresh', async () => {
  const tokens = await s.tokens(web, 'notes');
  const first = (await read(tokens.access_token)).claims.auth_time;
  assert.ok(Math.abs(first - Date.now() / 1000) < 60);
  const next = await s.refresh(web, tokens.refresh_token);
  assert.equal((await read(next.body.access_token)).claims.auth_time, first);
});
test('2.2.3 the scope that was granted stands in it', async () => {
  assert.equal((await read(await s.machineToken(machine, 'read'))).claims.scope, 'read');
});
test('3 with a resource aud is that resource, without one a default', async () => {
  const answer = await s.token(machine, { grant_type: 'client_credentials', scope: 'read', resource });
  assert.deepEqual([(await read(answer.body.access_token)).claims.aud].flat(), [resource]);
  assert.ok((await read(await s.machineToken())).claims.aud);
});
test('3 a resource that nobody knows is invalid_target', async () => {
  isRefused(await s.token(machine, { grant_type: 'client_credentials', resource: 'https://unknown.example/' }), 400, 'invalid_target');
});
const forged = [
  ['without a signature', async (token) => `${jose.base64url.encode('{"alg":"none","typ":"at+jwt"}')}.${token.split('.')[1]}.`],
  ['signed by a key of somebody else', async (token) => {
    const { privateKey } = await jose.generateKeyPair('ES256');
    return new jose.SignJWT(jose.decodeJwt(token)).setProtectedHeader({ ...jose.decodeProtectedHeader(token) }).sign(privateKey);
  }],
  ['with a public key of ours as a shared secret', async (token) => {
    const { keys } = await (await fetch(`${server.url}/oauth/jwks`)).json();
    const secret = new TextEncoder().encode(JSON.stringify(keys[0]));
    return new jose.SignJWT(jose.decodeJwt(token)).setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', kid: keys[0].kid }).sign(secret);
  }],
];
for (const [name, forge] of forged) {
  test(`4 a token ${name} is refused`, async () => {
    const token = await forge((await s.tokens(web, 'openid')).access_token);
    assert.equal((await s.userinfo(token)).status, 401);
    assert.deepEqual(await s.seen(token), { active: false });
  });
}
test('4 an ID token is no access token', async () => {
  const { id_token } = await s.tokens(web, 'openid');
  assert.equal((await s.userinfo(id_token)).status, 401);
});
test('6 what is to be kept from clients is not in it: neither name nor address', async () => {
  const { claims } = await read((await s.tokens(web, 'openid profile email')).access_token);
  for (const name of ['email', 'preferred_username', 'name']) assert.equal(claims[name], undefined);
});
