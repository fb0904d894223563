// Who registers clients over the wire: with the initial access token of an operator's client.
import assert from 'node:assert/strict';
import { callback } from './scene.js';

export const metadata = { redirect_uris: [callback], client_name: 'Newcomer', grant_types: ['authorization_code', 'refresh_token'],
                          response_types: ['code'], token_endpoint_auth_method: 'client_secret_basic' };

export async function registrar(s) {
  const initial = await s.machineToken(s.machine, 'register');
  const send = (method, path, token, body) => s.json(path.replace(s.server.url, ''), {
    method, body: body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body),
    headers: { ...(body === undefined ? {} : { 'Content-Type': 'application/json' }), ...(token ? { Authorization: `Bearer ${token}` } : {}) } });
  const register = (more = {}, token = initial) => send('POST', '/oauth/register', token, typeof more === 'string' ? more : { ...metadata, ...more });
  const manage = (method, client, body, token = client.registration_access_token) => send(method, client.registration_client_uri, token, body);
  /// One that was registered, and that the whole server knows.
  const made = async (more) => {
    const answer = await register(more);
    assert.equal(answer.status, 201, JSON.stringify(answer.body));
    await new Promise((done) => setTimeout(done, 1000));
    return answer.body;
  };
  return { register, manage, made };
}
