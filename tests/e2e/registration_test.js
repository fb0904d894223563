// Dynamic registration with npm `openid-client`: an application that nobody has entered signs a user in.
import { test, before } from 'node:test';
import assert from 'node:assert/strict';
import * as oidc from 'openid-client';
import { generous, serve } from './lib/server.js';
import { UserAgent } from './lib/user_agent.js';
import { callback, machineToken } from './lib/oauth.js';

const user = { name: 'rosa', password: 'signs her own letters' };
const server = await serve({ prepare: (s) => s.addUser(user.name, user.password) });
let initialAccessToken;
before(async () => {
  const operator = await server.addClient('--name', 'Portal', '--grant', 'client_credentials', '--scope', 'register notes');
  initialAccessToken = await machineToken(server, operator, 'register');
});
const metadata = { redirect_uris: [callback], client_name: 'Newcomer', grant_types: ['authorization_code', 'refresh_token'],
                   response_types: ['code'], token_endpoint_auth_method: 'client_secret_post', logo_uri: 'https://a.example/l' };
const register = (more = {}) => oidc.dynamicClientRegistration(
  new URL(server.url), { ...metadata, ...more }, more.token_endpoint_auth_method === 'none' ? oidc.None() : undefined,
  { initialAccessToken, execute: [oidc.allowInsecureRequests] });

async function signIn(config) {
  const verifier = oidc.randomPKCECodeVerifier();
  const url = oidc.buildAuthorizationUrl(config, {
    redirect_uri: callback, scope: 'openid offline_access', code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256' });
  const arrived = await new UserAgent(server.url).authorize(url, user.name, user.password);
  return oidc.authorizationCodeGrant(config, arrived, { pkceCodeVerifier: verifier, idTokenExpected: true });
}

test('an application registers itself and signs a user in', async () => {
  const config = await register();
  assert.equal(config.clientMetadata().client_name, 'Newcomer');
  const tokens = await signIn(config);
  assert.ok(tokens.id_token && tokens.refresh_token);
});

test('so does a public one', async () => {
  const config = await register({ token_endpoint_auth_method: 'none' });
  assert.equal(config.clientMetadata().client_secret, undefined);
  assert.ok((await signIn(config)).access_token);
});

test('it manages its registration over the wire', async () => {
  const answer = await fetch(`${server.url}/oauth/register`, {
    method: 'POST', body: JSON.stringify(metadata),
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${initialAccessToken}` } });
  assert.equal(answer.status, 201);
  const made = await answer.json();
  const ask = (method, token, body) => fetch(made.registration_client_uri, {
    method, body: body && JSON.stringify(body), headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` } });
  assert.equal((await (await ask('GET', made.registration_access_token)).json()).client_name, 'Newcomer');
  const changed = await ask('PUT', made.registration_access_token, { ...metadata, client_id: made.client_id, client_name: 'Renamed' });
  const next = await changed.json();
  assert.equal(next.client_name, 'Renamed');
  assert.equal((await ask('GET', made.registration_access_token)).status, 401);
  assert.equal((await ask('DELETE', next.registration_access_token)).status, 204);
  assert.equal((await ask('GET', next.registration_access_token)).status, 401);
});

test('without a token nobody registers, and where everybody may nobody needs one', async () => {
  const ask = (at) => fetch(`${at.url}/oauth/register`, {
    method: 'POST', body: JSON.stringify(metadata), headers: { 'Content-Type': 'application/json' } });
  assert.equal((await ask(server)).status, 401);
  const open = await serve({ config: `${generous}[oauth]\nregistration = "open"\n` });
  assert.equal((await ask(open)).status, 201);
  const closed = await serve({ config: `${generous}[oauth]\nregistration = "closed"\n` });
  assert.equal((await ask(closed)).status, 403);
  const discovery = await (await fetch(`${closed.url}/.well-known/openid-configuration`)).json();
  assert.equal(discovery.registration_endpoint, undefined);
});
