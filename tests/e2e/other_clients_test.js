// Clients that applications on Node use: `simple-oauth2`, and `passport-openidconnect` in an application with
// sessions of its own, whose user is a person with a browser without script.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import passport from 'passport';
import OpenIDConnectStrategy from 'passport-openidconnect';
import { AuthorizationCode, ClientCredentials } from 'simple-oauth2';
import { serve } from './lib/server.js';
import { UserAgent } from './lib/user_agent.js';
import { callback, introspect } from './lib/oauth.js';

const user = { name: 'olga', password: 'many roads lead here' };
const server = await serve({ prepare: (s) => s.addUser(user.name, user.password, '--email', 'olga@example.org') });
let web, api;
before(async () => {
  web = await server.addClient('--name', 'Web shop', '--redirect-uri', callback, '--grant', 'authorization_code', '--no-pkce',
                               '--grant', 'refresh_token', '--grant', 'client_credentials', '--scope', 'openid profile email offline_access notes');
  api = await server.addClient('--name', 'API', '--grant', 'client_credentials', '--scope', 'introspect');
});

const settings = () => ({
  client: { id: web.client_id, secret: web.client_secret },
  auth: { tokenHost: server.url, tokenPath: '/oauth/token', authorizePath: '/oauth/authorize', revokePath: '/oauth/revoke' },
});

test('simple-oauth2: a code becomes tokens, which are refreshed and given back', async () => {
  const client = new AuthorizationCode(settings());
  const url = client.authorizeURL({ redirect_uri: callback, scope: 'openid offline_access notes', state: 's', nonce: 'n' });
  const arrived = await new UserAgent(server.url).authorize(url, user.name, user.password);
  const first = await client.getToken({ code: arrived.searchParams.get('code'), redirect_uri: callback });
  assert.ok(first.token.id_token && !first.expired());
  const second = await first.refresh();
  assert.equal((await introspect(server, api, second.token.access_token)).active, true);
  await second.revoke('access_token');
  assert.equal((await introspect(server, api, second.token.access_token)).active, false);
  await first.revokeAll();  // a confidential client keeps its refresh token, which the second answer does not repeat
  await assert.rejects(first.refresh(), /400/);
});

test('simple-oauth2: an application gets a token for itself', async () => {
  const { authorizePath, ...auth } = settings().auth;
  const client = new ClientCredentials({ ...settings(), auth });
  const { token } = await client.getToken({ scope: 'notes' });
  assert.equal((await introspect(server, api, token.access_token)).client_id, web.client_id);
  await assert.rejects(client.getToken({ scope: 'more' }), /400/);
});

/// An application with one page, which shows who signed in; its sessions are a map.
async function serveApplication(client) {
  const strategy = new OpenIDConnectStrategy({
    issuer: server.url, authorizationURL: `${server.url}/oauth/authorize`, tokenURL: `${server.url}/oauth/token`,
    skipUserProfile: false, userInfoURL: `${server.url}/oauth/userinfo`, clientID: client.client_id, clientSecret: client.client_secret,
    callbackURL: client.redirect, scope: ['profile', 'email'],
  }, (issuer, profile, done) => done(null, { issuer, id: profile.id, name: profile.username, emails: profile.emails }));
  const agent = new passport.Passport().use(strategy);
  const session = {};
  return async (request, response) => {
    request.session = session;
    const url = new URL(request.url, 'http://application.example');
    request.query = Object.fromEntries(url.searchParams);
    response.redirect = (to) => response.writeHead(302, { Location: to }).end();
    agent.authenticate('openidconnect', { session: false }, (error, who, info) => {
      response.writeHead(error ? 500 : who ? 200 : 403, { 'Content-Type': 'application/json' });
      response.end(JSON.stringify(error ? { error: `${error}` } : who || info));
    })(request, response, (error) => response.writeHead(500).end(`${error}`));
  };
}

test('passport-openidconnect: an application signs its user in', async () => {
  let handler;
  const application = createServer((request, response) => handler(request, response));
  await new Promise((done) => application.listen(0, '127.0.0.1', done));
  after(() => application.close());
  const origin = `http://127.0.0.1:${application.address().port}`;
  const client = await server.addClient('--name', 'Application', '--redirect-uri', `${origin}/callback`, '--no-pkce',
                                        '--grant', 'authorization_code', '--scope', 'openid profile email');
  handler = await serveApplication({ ...client, redirect: `${origin}/callback` });

  const start = await fetch(`${origin}/login`, { redirect: 'manual' });
  assert.equal(start.status, 302);
  const arrived = await new UserAgent(server.url).authorize(start.headers.get('location'), user.name, user.password);
  const who = await (await fetch(arrived)).json();
  assert.equal(who.name ?? who.id, user.name, JSON.stringify(who));
  assert.equal(who.issuer, server.url);

  const again = await fetch(arrived);  // the code is spent, and the state too
  assert.notEqual(again.status, 200);
});
