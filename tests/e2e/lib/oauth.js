// The few OAuth calls that many tests make by hand, to see the bare answers.
import { createHash, randomBytes } from 'node:crypto';
import assert from 'node:assert/strict';
import { until } from './server.js';

export const callback = 'http://127.0.0.1:9/callback';  // nobody listens there: the user agent stops before it

export const basic = (client) =>
  `Basic ${Buffer.from(`${encodeURIComponent(client.client_id)}:${encodeURIComponent(client.client_secret)}`).toString('base64')}`;

/// POSTs a form; gives { status, headers, body } with the body parsed when it is JSON.
export async function post(url, form, { client, headers = {} } = {}) {
  const body = typeof form === 'string' ? form : `${new URLSearchParams(form)}`;
  const all = { 'Content-Type': 'application/x-www-form-urlencoded', ...headers };
  if (client) all.Authorization = basic(client);
  const response = await fetch(url, { method: 'POST', body, headers: all, redirect: 'manual' });
  const text = await response.text();
  const json = response.headers.get('content-type')?.startsWith('application/json');
  return { status: response.status, headers: response.headers, body: json && text ? JSON.parse(text) : text };
}

/// The ids of the keys that the server publishes, when all are there: that of RSA is made behind the start.
export async function keyIds(server) {
  let keys;
  const whole = await until(async () => {
    ({ keys } = await (await fetch(`${server.url}/oauth/jwks`)).json());
    return keys.some((key) => key.kty === 'RSA');
  });
  assert.ok(whole, `no key of RSA: ${JSON.stringify(keys)}`);
  return keys.map((key) => key.kid);
}

export function pkce() {
  const verifier = randomBytes(32).toString('base64url');
  return { verifier, challenge: createHash('sha256').update(verifier).digest('base64url') };
}

/// The URL of an authorization request. Values of undefined leave a parameter out.
export function authorizeUrl(server, client, parameters = {}) {
  const url = new URL('/oauth/authorize', server.url);
  const all = { response_type: 'code', client_id: client.client_id, redirect_uri: callback, state: 'st4te', ...parameters };
  for (const [name, value] of Object.entries(all)) if (value !== undefined) url.searchParams.append(name, value);
  return url;
}

/// Signs a user in and gives { code, verifier, url } of a fresh code.
export async function newCode(server, client, agent, user, parameters = {}) {
  const { verifier, challenge } = pkce();
  const url = authorizeUrl(server, client, { code_challenge: challenge, code_challenge_method: 'S256', ...parameters });
  const arrived = await agent.authorize(url, user.name, user.password);
  const code = arrived.searchParams.get('code');
  assert.ok(code, `no code in ${arrived}`);
  return { code, verifier, arrived };
}

/// A token request of a client, public or not.
export const askToken = (server, client, form) =>
  client.client_secret ? post(`${server.url}/oauth/token`, form, { client })
                       : post(`${server.url}/oauth/token`, { ...form, client_id: client.client_id });

export const redeem = (server, client, { code, verifier }, more = {}) =>
  askToken(server, client, { grant_type: 'authorization_code', code, code_verifier: verifier, redirect_uri: callback, ...more });

/// An access token by client_credentials.
export async function machineToken(server, client, scope) {
  const form = { grant_type: 'client_credentials', ...(scope ? { scope } : {}) };
  const answer = await post(`${server.url}/oauth/token`, form, { client });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return answer.body.access_token;
}

export async function introspect(server, client, token) {
  const answer = await post(`${server.url}/oauth/introspect`, { token }, { client });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return answer.body;
}
