// Back-Channel Logout with a client that nobody here wrote: npm `openid-client` signs people in, `jose` judges what its
// server is told when they have gone (OpenID Connect Back-Channel Logout 1.0).
import { test, before, after, beforeEach } from 'node:test';
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import * as oidc from 'openid-client';
import * as jose from 'jose';
import { serve, generous, sleep, until } from './lib/server.js';
import { UserAgent } from './lib/user_agent.js';
import { callback } from './lib/oauth.js';

const user = { name: 'lena', password: 'leaves without a word' };
const event = 'http://schemas.openid.net/event/backchannel-logout';
const config = `${generous}[oauth]\nfetch_unsafe_allow_addresses = ["127.0.0.1"]\n`;
const server = await serve({ config, prepare: (s) => s.addUser(user.name, user.password) });

/// The server of the client: what it is told, and how it answers.
const told = [];
let respond;
const receiver = createServer(async (request, response) => {
  let body = '';
  for await (const piece of request) body += piece;
  told.push({ method: request.method, type: request.headers['content-type'], form: new URLSearchParams(body), at: Date.now() });
  respond(response);
});
await new Promise((ready) => receiver.listen(0, '127.0.0.1', ready));
after(() => { receiver.closeAllConnections(); receiver.close(); });
const logoutUri = `http://127.0.0.1:${receiver.address().port}/logout`;

let client, discovered;
before(async () => {
  client = await server.addClient('--name', 'Listener', '--redirect-uri', callback, '--grant', 'authorization_code', '--grant', 'refresh_token',
                                  '--scope', 'openid offline_access', '--backchannel-logout-uri', logoutUri);
  discovered = await oidc.discovery(new URL(server.url), client.client_id, client.client_secret, undefined, { execute: [oidc.allowInsecureRequests] });
});
beforeEach(() => {
  told.length = 0;
  respond = (response) => response.end();
});

async function signIn(agent, scope = 'openid') {
  const verifier = oidc.randomPKCECodeVerifier();
  const url = oidc.buildAuthorizationUrl(discovered, { redirect_uri: callback, scope, code_challenge_method: 'S256',
                                                       code_challenge: await oidc.calculatePKCECodeChallenge(verifier) });
  const arrived = await agent.authorize(url, user.name, user.password);
  return oidc.authorizationCodeGrant(discovered, arrived, { pkceCodeVerifier: verifier, idTokenExpected: true });
}
const signOut = (agent, tokens) => agent.fetch(`/oauth/logout?id_token_hint=${tokens.id_token}`);

async function toldWithin(ms, count = 1) {
  await until(() => told.length >= count, ms);
  return told.length;
}

/// Section 2.6: what a client must check.
async function judged({ method, type, form }) {
  assert.equal(method, 'POST');
  assert.equal(type, 'application/x-www-form-urlencoded');
  assert.deepEqual([...form.keys()], ['logout_token']);
  const keys = jose.createRemoteJWKSet(new URL(discovered.serverMetadata().jwks_uri));
  const { payload, protectedHeader } = await jose.jwtVerify(form.get('logout_token'), keys, {
    issuer: server.url, audience: client.client_id, typ: 'logout+jwt', algorithms: ['RS256'], maxTokenAge: 60,
    requiredClaims: ['iat', 'exp', 'jti', 'events', 'sub', 'sid'] });
  assert.equal(protectedHeader.alg, 'RS256');
  assert.deepEqual(payload.events, { [event]: {} });
  assert.ok(!('nonce' in payload));
  return payload;
}

test('discovery offers it', () => {
  const metadata = discovered.serverMetadata();
  assert.equal(metadata.backchannel_logout_supported, true);
  assert.equal(metadata.backchannel_logout_session_supported, true);
});

test('a client is told whose session has ended, by a token that jose believes (T69)', async () => {
  const agent = new UserAgent(server.url);
  const tokens = await signIn(agent);
  await signOut(agent, tokens);
  assert.equal(await toldWithin(10_000), 1);
  const payload = await judged(told[0]);
  assert.equal(payload.sub, tokens.claims().sub);
  assert.equal(payload.sid, tokens.claims().sid);
  await sleep(1500);
  assert.equal(told.length, 1);
});

test('a slow client holds nobody up, and one that fails is told again by the same jti (T69)', async () => {
  const agent = new UserAgent(server.url);
  const tokens = await signIn(agent);
  const answers = [(response) => response.writeHead(500).end(), (response) => response.end()];
  let answered = 0;
  respond = (response) => setTimeout(() => { ++answered; answers.shift()(response); }, 1500);
  await signOut(agent, tokens);
  assert.equal(answered, 0, 'the sign-out has not waited');
  assert.equal(await toldWithin(20_000, 2), 2);
  assert.ok(told[1].at - told[0].at >= 5000, 'it waits before it tries again');
  const [first, second] = [await judged(told[0]), await judged(told[1])];
  assert.equal(first.jti, second.jti);
});

test('a sign-out that the command line brings about is told as well', async () => {
  const tokens = await signIn(new UserAgent(server.url), 'openid offline_access');
  assert.equal(server.command('user', 'disable', user.name).status, 0);
  assert.equal(await toldWithin(10_000), 1);
  assert.equal((await judged(told[0])).sid, tokens.claims().sid);
  assert.equal(server.command('user', 'enable', user.name).status, 0);
});

test('what was not told when the server was killed is told when it is back', async () => {
  const agent = new UserAgent(server.url);
  const tokens = await signIn(agent);
  respond = (response) => response.writeHead(503).end();
  await signOut(agent, tokens);
  assert.equal(await toldWithin(10_000), 1);
  const port = server.port;
  await server.kill();
  respond = (response) => response.end();
  await server.start(port);
  assert.ok(await toldWithin(20_000, 2) >= 2);
  assert.equal((await judged(told.at(-1))).sid, tokens.claims().sid);
});

test('a client whose address leads inside is not asked, where nobody has allowed it (T51)', async () => {
  const strict = await serve({ config: generous, prepare: (s) => s.addUser(user.name, user.password) });
  const inside = await strict.addClient('--name', 'Inside', '--redirect-uri', callback, '--scope', 'openid',
                                        '--backchannel-logout-uri', `https://localhost:${receiver.address().port}/logout`);
  const here = await oidc.discovery(new URL(strict.url), inside.client_id, inside.client_secret, undefined, { execute: [oidc.allowInsecureRequests] });
  const verifier = oidc.randomPKCECodeVerifier();
  const url = oidc.buildAuthorizationUrl(here, { redirect_uri: callback, scope: 'openid', code_challenge_method: 'S256',
                                                 code_challenge: await oidc.calculatePKCECodeChallenge(verifier) });
  const agent = new UserAgent(strict.url);
  const arrived = await agent.authorize(url, user.name, user.password);
  const tokens = await oidc.authorizationCodeGrant(here, arrived, { pkceCodeVerifier: verifier });
  let connections = 0;
  receiver.on('connection', () => { ++connections; });
  await agent.fetch(`/oauth/logout?id_token_hint=${tokens.id_token}`);
  await sleep(8000);  // time for two tries
  assert.equal(connections, 0);
});
