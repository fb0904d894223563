// The whole code flow with npm `openid-client`, as an application would use it.
import { test, before } from 'node:test';
import assert from 'node:assert/strict';
import * as oidc from 'openid-client';
import * as jose from 'jose';
import { serve } from './lib/server.js';
import { UserAgent } from './lib/user_agent.js';
import { callback } from './lib/oauth.js';

const user = { name: 'alice', password: 'correct horse battery staple' };
const scope = 'openid profile email offline_access';
const server = await serve({ prepare: (s) => s.addUser(user.name, user.password, '--email', 'alice@example.org') });
let web, native;
before(async () => {
  const all = ['--redirect-uri', callback, '--grant', 'authorization_code', '--grant', 'refresh_token', '--scope', scope];
  web = await server.addClient('--name', 'Web shop', ...all);
  native = await server.addClient('--name', 'Phone', '--public', ...all);
});

const discover = (client) => oidc.discovery(
  new URL(server.url), client.client_id, client.client_secret,
  client.client_secret ? oidc.ClientSecretBasic(client.client_secret) : oidc.None(),
  { execute: [oidc.allowInsecureRequests] });

async function signIn(config, extra = {}) {
  const verifier = oidc.randomPKCECodeVerifier();
  const [state, nonce] = [oidc.randomState(), oidc.randomNonce()];
  const url = oidc.buildAuthorizationUrl(config, {
    redirect_uri: callback, scope, state, nonce, code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256', ...extra });
  const arrived = await new UserAgent(server.url).authorize(url, user.name, user.password);
  return oidc.authorizationCodeGrant(config, arrived,
    { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: scope.includes('openid') });
}

test('a confidential client signs a user in, and the ID token says who', async () => {
  const config = await discover(web);
  const tokens = await signIn(config);
  const claims = tokens.claims();
  assert.ok(claims.sub && claims.auth_time);
  assert.equal(claims.iss, server.url);
  assert.equal(claims.aud, web.client_id);
  assert.equal(tokens.token_type.toLowerCase(), 'bearer');
  assert.equal(tokens.expires_in, 600);
  const info = await oidc.fetchUserInfo(config, tokens.access_token, claims.sub);
  assert.equal(info.email, 'alice@example.org');
});

test('a public client signs a user in with PKCE alone', async () => {
  const tokens = await signIn(await discover(native));
  assert.ok(tokens.access_token && tokens.refresh_token && tokens.id_token);
});

test('the ID token is RS256 unless the client asked for another', async () => {
  const config = await discover(web);
  const { id_token } = await signIn(config);
  const keys = jose.createRemoteJWKSet(new URL(config.serverMetadata().jwks_uri));
  const { payload, protectedHeader } = await jose.jwtVerify(id_token, keys, { issuer: server.url, audience: web.client_id });
  assert.equal(protectedHeader.alg, 'RS256');
  assert.equal(payload.exp - payload.iat, 600);
});

test('the access token is a signed JWT of RFC 9068', async () => {
  const config = await discover(web);
  const { access_token } = await signIn(config);
  const keys = jose.createRemoteJWKSet(new URL(config.serverMetadata().jwks_uri));
  const { payload, protectedHeader } = await jose.jwtVerify(access_token, keys, { issuer: server.url, typ: 'at+jwt' });
  assert.equal(protectedHeader.alg, 'ES256');
  for (const claim of ['iss', 'exp', 'iat', 'jti', 'sub', 'aud', 'client_id', 'scope']) assert.ok(payload[claim], claim);
  assert.equal(payload.client_id, web.client_id);
});

test('a public client\'s refresh token rotates, and the new one works', async () => {
  const config = await discover(native);
  const first = await signIn(config);
  const second = await oidc.refreshTokenGrant(config, first.refresh_token);
  assert.notEqual(second.refresh_token, first.refresh_token);
  assert.notEqual(second.access_token, first.access_token);
  const third = await oidc.refreshTokenGrant(config, second.refresh_token);
  assert.notEqual(third.refresh_token, second.refresh_token);
});

test('a confidential client refreshes', async () => {
  const config = await discover(web);
  const first = await signIn(config);
  const second = await oidc.refreshTokenGrant(config, first.refresh_token);
  assert.ok(second.access_token);
  assert.equal(second.claims()?.sub ?? first.claims().sub, first.claims().sub);
});

test('introspection tells an active token from a revoked one', async () => {
  const config = await discover(web);
  const tokens = await signIn(config);
  const active = await oidc.tokenIntrospection(config, tokens.access_token);
  assert.equal(active.active, true);
  assert.equal(active.client_id, web.client_id);
  assert.equal(active.sub, tokens.claims().sub);
  await oidc.tokenRevocation(config, tokens.access_token);
  assert.deepEqual(await oidc.tokenIntrospection(config, tokens.access_token), { active: false });
  await assert.rejects(oidc.fetchUserInfo(config, tokens.access_token, oidc.skipSubjectCheck));
});

test('revoking a refresh token takes its whole family back', async () => {
  const config = await discover(web);
  const tokens = await signIn(config);
  await oidc.tokenRevocation(config, tokens.refresh_token);
  assert.deepEqual(await oidc.tokenIntrospection(config, tokens.access_token), { active: false });
  await assert.rejects(oidc.refreshTokenGrant(config, tokens.refresh_token), { error: 'invalid_grant' });
});

test('two tabs that refresh the same token at once both stay signed in', async () => {
  const config = await discover(native);
  const { refresh_token } = await signIn(config);
  const answers = await Promise.all(Array.from({ length: 10 }, () => oidc.refreshTokenGrant(config, refresh_token)));
  assert.equal(new Set(answers.map((answer) => answer.refresh_token)).size, 1, 'one successor for all');
  assert.ok((await oidc.refreshTokenGrant(config, answers[0].refresh_token)).access_token);
});
