// The same flows with npm `oauth4webapi`, which checks every answer against the letter of
// the RFCs: content types, `iss` in the callback, required members.
import { test, before } from 'node:test';
import assert from 'node:assert/strict';
import * as oauth from 'oauth4webapi';
import { serve } from './lib/server.js';
import { UserAgent } from './lib/user_agent.js';
import { callback } from './lib/oauth.js';

const user = { name: 'bob', password: 'a long enough password' };
const server = await serve({ prepare: (s) => s.addUser(user.name, user.password) });
const insecure = { [oauth.allowInsecureRequests]: true };
let metadata, web, machine;
before(async () => {
  web = await server.addClient('--name', 'Web', '--redirect-uri', callback, '--grant', 'authorization_code',
                               '--grant', 'refresh_token', '--scope', 'openid offline_access notes');
  machine = await server.addClient('--name', 'Machine', '--grant', 'client_credentials', '--scope', 'read write');
  const issuer = new URL(server.url);
  metadata = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, insecure));
});
const authentication = (client) => oauth.ClientSecretBasic(client.client_secret);

async function authorize(scope) {
  const verifier = oauth.generateRandomCodeVerifier();
  const [state, nonce] = [oauth.generateRandomState(), oauth.generateRandomNonce()];
  const url = new URL(metadata.authorization_endpoint);
  const parameters = { client_id: web.client_id, redirect_uri: callback, response_type: 'code', scope, state, nonce,
                       code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256' };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  const arrived = await new UserAgent(server.url).authorize(url, user.name, user.password);
  return { parameters: oauth.validateAuthResponse(metadata, web, arrived, state), verifier, nonce };
}

test('both well-known documents name the same endpoints', async () => {
  const issuer = new URL(server.url);
  const other = await oauth.processDiscoveryResponse(issuer,
    await oauth.discoveryRequest(issuer, { ...insecure, algorithm: 'oauth2' }));
  for (const name of ['issuer', 'authorization_endpoint', 'token_endpoint', 'jwks_uri', 'introspection_endpoint', 'revocation_endpoint']) {
    assert.ok(metadata[name], name);
    assert.equal(other[name], metadata[name], name);
  }
  assert.deepEqual(metadata.response_types_supported, ['code']);
  assert.deepEqual(metadata.code_challenge_methods_supported, ['S256']);
  assert.equal(metadata.authorization_response_iss_parameter_supported, true);
  assert.ok(metadata.id_token_signing_alg_values_supported.includes('RS256'));
});

test('every endpoint that discovery names answers', async () => {
  for (const [name, url] of Object.entries(metadata).filter(([, value]) => `${value}`.startsWith(server.url))) {
    if (name === 'issuer') continue;
    const response = await fetch(url, { redirect: 'manual' });
    assert.ok(response.status !== 404 && response.status < 500, `${name}: ${response.status}`);
  }
});

test('code, refresh and revocation hold to the letter', async () => {
  const { parameters, verifier, nonce } = await authorize('openid offline_access notes');
  const tokens = await oauth.processAuthorizationCodeResponse(metadata, web,
    await oauth.authorizationCodeGrantRequest(metadata, web, authentication(web), parameters, callback, verifier, insecure),
    { expectedNonce: nonce, requireIdToken: true });
  const refreshed = await oauth.processRefreshTokenResponse(metadata, web,
    await oauth.refreshTokenGrantRequest(metadata, web, authentication(web), tokens.refresh_token, insecure));
  assert.ok(refreshed.access_token);
  const claims = oauth.getValidatedIdTokenClaims(tokens);
  const info = await oauth.processUserInfoResponse(metadata, web, claims.sub,
    await oauth.userInfoRequest(metadata, web, refreshed.access_token, insecure));
  assert.equal(info.sub, claims.sub);
  await oauth.processRevocationResponse(
    await oauth.revocationRequest(metadata, web, authentication(web), refreshed.access_token, insecure));
  const after = await oauth.processIntrospectionResponse(metadata, web,
    await oauth.introspectionRequest(metadata, web, authentication(web), refreshed.access_token, insecure));
  assert.deepEqual(after, { active: false });
});

test('without openid there is no ID token and userinfo is refused', async () => {
  const { parameters, verifier } = await authorize('notes');
  const tokens = await oauth.processAuthorizationCodeResponse(metadata, web,
    await oauth.authorizationCodeGrantRequest(metadata, web, authentication(web), parameters, callback, verifier, insecure));
  assert.equal(tokens.id_token, undefined);
  const response = await fetch(metadata.userinfo_endpoint, { headers: { Authorization: `Bearer ${tokens.access_token}` } });
  assert.equal(response.status, 403);
  assert.match(response.headers.get('www-authenticate'), /insufficient_scope/);
});

test('client credentials bring a token of the asked scope and no refresh token', async () => {
  const response = await oauth.clientCredentialsGrantRequest(metadata, machine, authentication(machine), { scope: 'read' }, insecure);
  assert.equal(response.headers.get('cache-control'), 'no-store');
  const tokens = await oauth.processClientCredentialsResponse(metadata, machine, response);
  assert.equal(tokens.refresh_token, undefined);
  assert.equal(tokens.scope ?? 'read', 'read');
  const seen = await oauth.processIntrospectionResponse(metadata, machine,
    await oauth.introspectionRequest(metadata, machine, authentication(machine), tokens.access_token, insecure));
  assert.deepEqual([seen.active, seen.scope, seen.sub], [true, 'read', machine.client_id]);
});

test('client_secret_post works where the client uses it', async () => {
  const post = oauth.ClientSecretPost(machine.client_secret);
  const response = await oauth.clientCredentialsGrantRequest(metadata, machine, post, {}, insecure);
  assert.ok([200, 401].includes(response.status), `${response.status}`);
  const supported = metadata.token_endpoint_auth_methods_supported;
  if (response.status === 200) assert.ok(supported.includes('client_secret_post'), `${supported}`);
});
