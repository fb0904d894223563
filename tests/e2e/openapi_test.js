// The OpenAPI document: valid by a validator that others wrote, and true of the answers of the server.
import { test, before } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Validator } from '@seriousme/openapi-schema-validator';
import { generous, serve } from './lib/server.js';
import { UserAgent } from './lib/user_agent.js';
import { OpenApi } from './lib/openapi.js';
import { exchange } from './lib/raw.js';
import { authorizeUrl, basic, callback, machineToken, newCode, pkce, redeem } from './lib/oauth.js';

const user = { name: 'olga', password: 'reads the document first' };
const server = await serve({ config: `${generous}[realtime]\necho = true\n`, args: ['--development'],
                             prepare: (s) => s.addUser(user.name, user.password) });
const openapi = await OpenApi.of(server);
let shop, machine, bearer;
before(async () => {
  shop = await server.addClient('--name', 'Shop', '--redirect-uri', callback, '--grant', 'authorization_code', '--grant', 'refresh_token',
                                '--scope', 'openid profile email offline_access');
  machine = await server.addClient('--name', 'Machine', '--grant', 'client_credentials',
                                   '--scope', 'admin register introspect realtime:publish realtime:read realtime:admin topic:>:publish topic:>:subscribe');
  bearer = { Authorization: `Bearer ${await machineToken(server, machine)}` };
});
const ask = (method, path, options) => openapi.ask(server, method, path, options);
const form = (fields) => ({ body: `${new URLSearchParams(fields)}`, type: 'application/x-www-form-urlencoded' });

test('the document is OpenAPI 3.1, and may be kept', async () => {
  const validator = new Validator();
  const result = await validator.validate(structuredClone(openapi.document));
  assert.ok(result.valid, JSON.stringify(result.errors, null, 1));
  assert.equal(validator.version, '3.1');
  const etag = openapi.response.headers.get('etag');
  const again = await ask('get', '/openapi.json', { headers: { 'If-None-Match': etag } });
  assert.equal(again.status, 304);
});

test('every operation of the document is answered by the server', async () => {
  for (const [method, path] of openapi.operations) {
    const target = path.replace(/\{\w+\}/g, 'x');
    const abort = new AbortController();
    const response = await fetch(`${server.url}${target}`, { method: method.toUpperCase(), redirect: 'manual', signal: abort.signal });
    assert.notEqual(response.status, 405, `${method} ${path}`);
    const is_nowhere = response.status === 404 && (await response.text()).includes('nothing at this path');
    assert.ok(!is_nowhere, `${method} ${path}`);
    abort.abort();
  }
});

test('a body over the limit gets what the document says, at every operation that takes one', async () => {
  const withBody = openapi.operations.filter(([, , operation]) => operation.requestBody);
  assert.ok(withBody.length > 20);
  for (const [method, path] of withBody) {
    const target = path.replace(/\{\w+\}/g, 'x');
    const { text } = await exchange(server.port, `${method.toUpperCase()} ${target} HTTP/1.1\r\nHost: h\r\nContent-Length: ${2 ** 30}\r\n\r\n`);
    const [head, body] = text.split('\r\n\r\n');
    const [line, ...fields] = head.split('\r\n');
    assert.match(line, /^HTTP\/1\.1 413 /, path);
    const headers = new Headers(fields.map((field) => field.split(/: (.*)/).slice(0, 2)));
    const isJson = headers.get('content-type').split(';')[0].endsWith('json');
    openapi.check(method, path, { status: 413, headers, body: isJson ? JSON.parse(body) : body });
    if (!path.startsWith('/api/')) assert.equal(headers.get('cache-control'), 'no-store', path);
  }
});

test('the parameters of the document are those of the page about the protocol', () => {
  const page = readFileSync(new URL('../../docs/protocol/oauth.md', import.meta.url), 'utf8');
  for (const path of ['/oauth/authorize', '/oauth/logout']) {
    const table = page.split(`\n## \`${path}\`\n`)[1].split(/\n\|[-|]+\|\n/)[1].split('\n\n')[0];
    const onPage = table.split('\n').flatMap((row) => [...row.split('|')[1].matchAll(/`(\w+)`/g)].map(([, name]) => name)).sort();
    const { get, post } = openapi.document.paths[path];
    assert.deepEqual(get.parameters.map(({ name }) => name).sort(), onPage);
    const { properties } = post.requestBody.content['application/x-www-form-urlencoded'].schema;
    assert.deepEqual(Object.keys(properties).filter((name) => name !== 'csrf').sort(), onPage);
  }
});

test('the administration reads every parameter that the document gives a call, and no other', async () => {
  const resolve = ({ $ref, ...parameter }) => $ref ? openapi.document.components.parameters[$ref.split('/').at(-1)] : parameter;
  for (const [method, path, { parameters = [] }] of openapi.operations.filter(([, at]) => at.startsWith('/admin/'))) {
    const inQuery = parameters.map(resolve).filter((each) => each.in === 'query').map(({ name }) => name);
    const names = Object.fromEntries([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => [name, 'x']));
    for (const name of [...inQuery, 'unheard_of']) {  // with a value that no call can do anything with
      const { status, body } = await ask(method, path, { names, query: `?${name}=x`, headers: bearer });
      const isRead = !(status === 400 && body.detail.startsWith('There is no parameter'));
      assert.equal(isRead, name !== 'unheard_of', `${method} ${path}?${name}: ${status} ${body?.detail}`);
    }
  }
});

test('a password that is tried too often, and a token in the URL, get what the document says', async () => {
  const person = new UserAgent(server.url);
  let page = await person.open(authorizeUrl(server, shop, { scope: 'openid', code_challenge: pkce().challenge, code_challenge_method: 'S256' }));
  for (let i = 0; i < 15 && page.status !== 429; ++i) page = await person.login(page, 'nobody', 'a wrong guess');
  assert.equal(page.status, 429);
  openapi.check('post', '/login', page);
  await ask('get', '/oauth/userinfo', { query: '?access_token=x' });
  const style = await ask('get', '/oauth/pages.css');
  await ask('get', '/oauth/pages.css', { headers: { 'If-None-Match': style.headers.get('etag') } });
  await ask('get', '/admin/v1/clients/{client_id}', { names: { client_id: 'x' }, query: '?dry_run=true', headers: bearer });
});

test('what clients of the protocol get is as the document says', async () => {
  await ask('get', '/.well-known/openid-configuration');
  await ask('get', '/.well-known/oauth-authorization-server');
  await ask('get', '/oauth/jwks');
  const code = await newCode(server, shop, new UserAgent(server.url), user, { scope: 'openid profile offline_access', nonce: 'n' });
  const tokens = (await redeem(server, shop, code)).body;
  const by = { headers: { Authorization: basic(shop) } };
  const refreshed = await ask('post', '/oauth/token', { ...form({ grant_type: 'refresh_token', refresh_token: tokens.refresh_token }), ...by });
  assert.equal(refreshed.status, 200);
  await ask('post', '/oauth/token', { ...form({ grant_type: 'magic' }), ...by });
  await ask('post', '/oauth/token', form({ grant_type: 'client_credentials', client_id: 'c_nobody' }));
  const token = refreshed.body.access_token;
  assert.equal((await ask('post', '/oauth/introspect', { ...form({ token }), ...by })).body.active, true);
  assert.equal((await ask('post', '/oauth/introspect/batch', { body: { tokens: [token, 'x'] }, headers: bearer })).body.results.length, 2);
  await ask('get', '/oauth/userinfo', { headers: { Authorization: `Bearer ${token}` } });
  await ask('get', '/oauth/userinfo', { headers: bearer });
  await ask('post', '/oauth/revoke', { ...form({ token }), ...by });
  await ask('post', '/oauth/introspect', { ...form({ token }), ...by });
  const made = await ask('post', '/oauth/register', { body: { redirect_uris: [callback] }, headers: bearer });
  const names = { client_id: made.body.client_id };
  const own = { Authorization: `Bearer ${made.body.registration_access_token}` };
  await ask('get', '/oauth/register/{client_id}', { names, headers: own });
  await ask('post', '/oauth/register', { body: { redirect_uris: ['x'] }, headers: bearer });
  await ask('delete', '/oauth/register/{client_id}', { names, headers: own });
  await ask('get', '/oauth/authorize', { query: '?client_id=c_nobody' });
  for (const path of ['/oauth/logout', '/oauth/pages.css', '/account']) await ask('get', path);
  await ask('get', '/oauth/logo/{name}', { names: { name: 'none.png' } });
});

test('what back ends of live delivery get is as the document says', async () => {
  const headers = bearer;
  assert.equal((await ask('post', '/api/v1/publish', { body: { topic: 'doc.a', payload: 1 }, headers })).status, 200);
  await ask('post', '/api/v1/publish', { body: {}, headers });
  await ask('post', '/api/v1/broadcast', { body: { topics: ['doc.a', 'doc.b'], payload: 2 }, headers });
  await ask('post', '/api/v1/direct', { body: { user: 'u_nobody', payload: 3 }, headers });
  await ask('get', '/api/v1/presence', { query: '?topic=doc.a', headers });
  await ask('get', '/api/v1/history', { query: '?topic=doc.a', headers });
  await ask('get', '/api/v1/topics', { headers });
  await ask('get', '/api/v1/connections', { headers });
  await ask('get', '/api/v1/users', { headers });
  await ask('delete', '/api/v1/connections/{connection_id}', { names: { connection_id: 'x' }, headers });
  await ask('delete', '/api/v1/users/{user}/connections', { names: { user: 'u_nobody' }, headers });
  await ask('get', '/api/v1/topics');
  await ask('get', '/ws');
});

test('what operators get is as the document says', async () => {
  for (const path of ['/health/live', '/health/ready', '/metrics', '/inspect', '/demo/client.json', '/demo/']) await ask('get', path);
  await ask('post', '/inspect/measure', { query: '?path=/oauth/keys' });
  await ask('delete', '/inspect/measure', { query: '?path=/nowhere' });
});
