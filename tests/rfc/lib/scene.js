// The scene of the tests of a specification: a server with a person and a client of each kind, all there before it
// starts, and the few requests that every specification needs.
import assert from 'node:assert/strict';
import { generous, serve } from '../../e2e/lib/server.js';
import { UserAgent } from '../../e2e/lib/user_agent.js';
import { askToken, authorizeUrl, callback, introspect, machineToken, newCode, pkce, post, redeem } from '../../e2e/lib/oauth.js';
import * as jose from '../../e2e/lib/jose.js';

export { authorizeUrl, callback, generous, jose, pkce, post, UserAgent };
export const user = { name: 'vera', password: 'reads every section', email: 'vera@example.org' };
export const second = { name: 'otto', password: 'is somebody else' };
const scopes = 'openid profile email offline_access notes drafts';

export async function scene({ oauth = '', more } = {}) {
  const s = {};
  s.server = await serve({
    config: `${generous}[oauth]\n${oauth}`,
    prepare: async (server) => {
      await server.addUser(user.name, user.password, '--email', user.email);
      await server.addUser(second.name, second.password);
      const web = ['--redirect-uri', callback, '--grant', 'authorization_code', '--grant', 'refresh_token', '--scope', scopes];
      s.web = await server.addClient('--name', 'Web', ...web, '--logout-uri', 'http://127.0.0.1:9/bye');
      s.other = await server.addClient('--name', 'Other', ...web);
      s.app = await server.addClient('--name', 'App', '--public', ...web);
      s.two = await server.addClient('--name', 'Two', ...web, '--redirect-uri', `${callback}/2`, '--no-pkce');
      s.machine = await server.addClient('--name', 'Machine', '--grant', 'client_credentials', '--scope', 'read write introspect register');
      s.opaque = await server.addClient('--name', 'Opaque', '--grant', 'client_credentials', '--scope', 'read', '--access-token-format', 'opaque');
      await more?.(server, s);
    },
  });
  const { server } = s;
  s.challenge = { code_challenge: pkce().challenge, code_challenge_method: 'S256' };
  s.agent = () => new UserAgent(server.url);
  s.url = (client, parameters) => authorizeUrl(server, client, { ...s.challenge, scope: 'notes', ...parameters });
  s.ask = (client, parameters, init = {}) => fetch(s.url(client, parameters), { redirect: 'manual', ...init });
  s.code = (client, parameters = { scope: 'notes' }, agent = s.agent(), who = user) => newCode(server, client, agent, who, parameters);
  s.redeem = (client, code, more) => redeem(server, client, code, more);
  s.tokens = async (client, scope = 'notes', agent = s.agent(), more = {}) => {
    const answer = await s.redeem(client, await s.code(client, { scope, ...more }, agent));
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    return answer.body;
  };
  s.token = (client, form, more) => askToken(server, client, form, more);
  s.post = (path, form, more) => post(`${server.url}${path}`, form, more);
  s.refresh = (client, refresh_token, more = {}) => askToken(server, client, { grant_type: 'refresh_token', refresh_token, ...more });
  s.seen = (token, by = s.machine) => introspect(server, by, token);
  s.machineToken = (client = s.machine, scope) => machineToken(server, client, scope);
  s.json = async (path, init) => {
    const response = await fetch(server.url + path, init);
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text ? JSON.parse(text) : undefined };
  };
  s.discovery = async () => (await s.json('/.well-known/openid-configuration')).body;
  s.userinfo = (token, init = {}) => fetch(`${server.url}/oauth/userinfo`, { ...init, headers: { ...(token ? { Authorization: `Bearer ${token}` } : {}), ...init.headers } });
  s.verified = (jwt, options = {}) =>
    jose.jwtVerify(jwt, jose.createRemoteJWKSet(new URL('/oauth/jwks', server.url)), { issuer: server.url, ...options });
  return s;
}

export const isRefused = (answer, status, error) => {
  assert.equal(answer.status, status, JSON.stringify(answer.body));
  assert.equal(answer.body.error, error, JSON.stringify(answer.body));
};

/// The parameters that a redirect to the client bears; asserts that it is one.
export function sentBack(response, to = callback) {
  assert.ok([302, 303].includes(response.status), `${response.status}`);
  const location = new URL(response.headers.get('location'));
  assert.equal(location.origin + location.pathname, to);
  return Object.fromEntries(location.searchParams);
}

/// The person is told, and nobody is redirected to.
export function staysHere(response) {
  assert.equal(response.status, 400);
  assert.equal(response.headers.get('location'), null);
}
