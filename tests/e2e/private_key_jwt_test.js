// Clients that prove themselves by a key of their own: npm `openid-client` and `jose` against the real server (RFC 7523).
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { writeFileSync } from 'node:fs';
import * as oidc from 'openid-client';
import * as jose from 'jose';
import { serve, generous } from './lib/server.js';
import { UserAgent } from './lib/user_agent.js';
import { callback, machineToken, post } from './lib/oauth.js';

const user = { name: 'klara', password: 'keeps her key in a drawer' };
const type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const config = `${generous}[oauth]\nfetch_unsafe_allow_addresses = ["127.0.0.1"]\n`;
const server = await serve({ config, prepare: (s) => s.addUser(user.name, user.password) });

/// A key pair of that algorithm, and the document with its public part.
async function newKey(alg, kid) {
  const { privateKey, publicKey } = await jose.generateKeyPair(alg, { extractable: true });
  return { alg, kid, privateKey, jwk: { ...(await jose.exportJWK(publicKey)), kid, use: 'sig' } };
}

/// Somebody's server with keys, which counts how often it is asked.
const site = { asked: 0, keys: [], answer: undefined };
const keyServer = createServer((request, response) => {
  ++site.asked;
  if (site.answer) return site.answer(request, response);
  response.setHeader('Content-Type', 'application/json').end(JSON.stringify({ keys: site.keys }));
});
await new Promise((ready) => keyServer.listen(0, '127.0.0.1', ready));
after(() => keyServer.close());
const keysUri = `http://127.0.0.1:${keyServer.address().port}/keys`;

const grants = ['--redirect-uri', callback, '--grant', 'authorization_code', '--grant', 'client_credentials', '--grant', 'refresh_token',
                '--scope', 'openid profile read', '--auth-method', 'private_key_jwt'];
async function addClient(key, ...more) {
  const file = join(server.home, `${key.kid}.json`);
  writeFileSync(file, JSON.stringify({ keys: [key.jwk] }));
  return server.addClient('--name', 'Robot', ...grants, '--jwks', file, ...more);
}

/// An assertion that is good but for what is said here.
const now = () => Math.floor(Date.now() / 1000);
let made = 0;
function assertion(client, key, claims = {}, header = {}) {
  const all = { iss: client.client_id, sub: client.client_id, aud: server.url, jti: `jti-${++made}`, iat: now(), exp: now() + 60, ...claims };
  return new jose.SignJWT(JSON.parse(JSON.stringify(all))).setProtectedHeader({ alg: key.alg, kid: key.kid, ...header }).sign(key.privateKey);
}
const askWith = (client_assertion, more = {}) =>
  post(`${server.url}/oauth/token`, { grant_type: 'client_credentials', client_assertion_type: type, client_assertion, ...more });

let key, robot;
before(async () => {
  key = await newKey('ES256', 'robot');
  robot = await addClient(key);
});

for (const alg of ['ES256', 'RS256', 'EdDSA']) {
  test(`openid-client signs a user in with a key for ${alg}`, async () => {
    const its = await newKey(alg, `key-${alg}`);
    const client = await addClient(its, '--auth-signing-alg', alg);
    assert.equal(client.client_secret, undefined);
    assert.equal(client.token_endpoint_auth_method, 'private_key_jwt');
    const discovered = await oidc.discovery(new URL(server.url), client.client_id, undefined,
                                            oidc.PrivateKeyJwt({ key: its.privateKey, kid: its.kid }), { execute: [oidc.allowInsecureRequests] });
    const verifier = oidc.randomPKCECodeVerifier();
    const url = oidc.buildAuthorizationUrl(discovered, { redirect_uri: callback, scope: 'openid', code_challenge_method: 'S256',
                                                         code_challenge: await oidc.calculatePKCECodeChallenge(verifier) });
    const arrived = await new UserAgent(server.url).authorize(url, user.name, user.password);
    const tokens = await oidc.authorizationCodeGrant(discovered, arrived, { pkceCodeVerifier: verifier, idTokenExpected: true });
    assert.ok(tokens.claims().sub);
    assert.equal(tokens.claims().acr, '1');
    const about = await oidc.tokenIntrospection(discovered, tokens.access_token);
    assert.equal(about.username, user.name);
    await oidc.tokenRevocation(discovered, tokens.access_token);
    assert.deepEqual(await oidc.tokenIntrospection(discovered, tokens.access_token), { active: false });
  });
}

test('an assertion is good once, also of twenty at once, and also after a restart (T47)', async () => {
  const once = await assertion(robot, key);
  const answers = await Promise.all(Array.from({ length: 20 }, () => askWith(once)));
  assert.equal(answers.filter((each) => each.status === 200).length, 1);
  for (const each of answers.filter((one) => one.status !== 200)) assert.equal(each.body.error, 'invalid_client');
  const other = await assertion(robot, key);
  assert.equal((await askWith(other)).status, 200);
  const port = server.port;
  await server.kill();
  await server.start(port);
  assert.equal((await askWith(other)).status, 401);
  assert.equal((await askWith(await assertion(robot, key))).status, 200);
});

test('forged, foreign and endless assertions are refused alike (T47)', async () => {
  const stranger = await newKey('ES256', 'robot');
  const unsigned = (text) => `${jose.base64url.encode(JSON.stringify({ alg: 'none' }))}.${text.split('.')[1]}.`;
  const secret = new TextEncoder().encode(JSON.stringify(key.jwk));
  const rows = {
    'a stranger\'s key': await assertion(robot, stranger),
    'an unknown kid': await assertion(robot, key, {}, { kid: 'another' }),
    'no signature': unsigned(await assertion(robot, key)),
    'HS256 with the public key': await assertion(robot, { alg: 'HS256', kid: key.kid, privateKey: secret }),
    'another issuer': await assertion(robot, key, { iss: 'somebody' }),
    'another subject': await assertion(robot, key, { sub: 'somebody' }),
    'another audience': await assertion(robot, key, { aud: 'https://other.example' }),
    'others in the audience': await assertion(robot, key, { aud: [server.url, 'https://other.example'] }),
    'no exp': await assertion(robot, key, { exp: undefined }),
    'an old exp': await assertion(robot, key, { exp: now() - 60 }),
    'an exp in more than an hour': await assertion(robot, key, { exp: now() + 3700 }),
    'made in the future': await assertion(robot, key, { iat: now() + 120 }),
    'no jti': await assertion(robot, key, { jti: undefined }),
    'the type of an access token': await assertion(robot, key, {}, { typ: 'at+jwt' }),
  };
  for (const [what, text] of Object.entries(rows)) {
    const answer = await askWith(text);
    assert.equal(answer.status, 401, what);
    assert.deepEqual(answer.body, { error: 'invalid_client', error_description: 'Client authentication failed.' }, what);
  }
  assert.equal((await askWith(await assertion(robot, key), { client_secret: 'x' })).body.error, 'invalid_request');
  assert.equal((await askWith(await assertion(robot, key, { aud: `${server.url}/oauth/token` }))).status, 200);
});

test('keys behind a jwks_uri are fetched once, again for a new kid, and not for each that is made up', async () => {
  const first = await newKey('ES256', 'first');
  site.keys = [first.jwk];
  const client = await server.addClient('--name', 'Far robot', ...grants, '--jwks-uri', keysUri);
  const before = site.asked;
  for (let i = 0; i < 3; ++i) assert.equal((await askWith(await assertion(client, first))).status, 200);
  assert.equal(site.asked, before + 1);
  for (let i = 0; i < 20; ++i) assert.equal((await askWith(await assertion(client, first, {}, { kid: `made-up-${i}` }))).status, 401);
  assert.ok(site.asked <= before + 2, `asked ${site.asked - before} times`);
});

test('a jwks_uri that redirects, is endless or never answers gives no key, and holds up nobody (T51)', async () => {
  const portal = await server.addClient('--name', 'Portal', '--grant', 'client_credentials', '--scope', 'register');
  const token = await machineToken(server, portal, 'register');
  const its = await newKey('ES256', 'its');
  site.keys = [its.jwk];
  const answers = {
    redirect: (request, response) => (request.url === '/keys' ? response.writeHead(302, { Location: '/elsewhere' }).end()
                                                              : response.end(JSON.stringify({ keys: site.keys }))),
    endless: (request, response) => response.end(Buffer.alloc(10 * 1024 * 1024, ' ')),
    silent: () => {},
  };
  for (const [what, answer] of Object.entries(answers)) {
    site.answer = answer;
    const registered = await fetch(`${server.url}/oauth/register`, {
      method: 'POST', headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` },
      body: JSON.stringify({ redirect_uris: ['https://app.example/cb'], token_endpoint_auth_method: 'private_key_jwt', jwks_uri: keysUri }) });
    assert.equal(registered.status, 201, what);
    const client = await registered.json();
    assert.equal(client.client_secret, undefined);
    const [refused, other] = await Promise.all([
      assertion(client, its).then((text) => askWith(text)),
      assertion(robot, key).then((text) => askWith(text)).then((one) => ({ ...one, at: Date.now() }))]);
    assert.equal(refused.status, 401, what);
    assert.equal(other.status, 200, what);
  }
  site.answer = undefined;
});

test('only what the operator allows may be registered to be fetched (T51)', async () => {
  const portal = await server.addClient('--name', 'Portal', '--grant', 'client_credentials', '--scope', 'register');
  const token = await machineToken(server, portal, 'register');
  for (const uri of ['http://127.0.0.2/keys', 'http://localhost/keys', 'https://10.0.0.1/keys', 'https://[::1]/keys', 'file:///etc/passwd']) {
    for (const name of ['jwks_uri', 'backchannel_logout_uri']) {
      const answer = await fetch(`${server.url}/oauth/register`, {
        method: 'POST', headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` },
        body: JSON.stringify({ redirect_uris: ['https://app.example/cb'], [name]: uri }) });
      assert.equal(answer.status, 400, `${name} ${uri}`);
      assert.equal((await answer.json()).error, 'invalid_client_metadata');
    }
  }
});
