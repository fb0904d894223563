// Bad input at every place of the authorization server that takes a form: the same rows for
// each. Every one gets a clear error, the server goes on, and what is good stays good.
import { test, before, afterEach } from 'node:test';
import assert from 'node:assert/strict';
import { serve } from './lib/server.js';
import { exchange } from './lib/raw.js';
import { basic, callback, introspect, machineToken, pkce, post } from './lib/oauth.js';

const server = await serve();
let machine, web, token;
before(async () => {
  machine = await server.addClient('--name', 'Machine', '--grant', 'client_credentials', '--scope', 'read');
  web = await server.addClient('--name', 'Web', '--redirect-uri', callback, '--grant', 'authorization_code', '--scope', 'openid');
  token = await machineToken(server, machine);
});
afterEach(async () => assert.equal((await introspect(server, machine, token)).active, true, 'a good token suffered'));

const asMachine = () => ({ Authorization: basic(machine) });
// What each place takes when it is good, what it then answers, and what its errors look like.
const json = (answer) => assert.deepEqual([answer.body.error, answer.headers.get('cache-control')], ['invalid_request', 'no-store']);
const challenge = (answer) => assert.match(answer.headers.get('www-authenticate'), /^Bearer .*error="invalid_request"/);
const page = (answer) => {
  assert.match(answer.headers.get('content-type'), /^text\/html/);
  assert.equal(answer.headers.get('location'), null);
};
const places = [
  { path: '/oauth/token', allows: ['POST'], headers: asMachine, form: () => ({ grant_type: 'client_credentials' }), good: 200, error: json },
  { path: '/oauth/introspect', allows: ['POST'], headers: asMachine, form: () => ({ token }), good: 200, error: json },
  { path: '/oauth/revoke', allows: ['POST'], headers: asMachine, form: () => ({ token: 'unknown' }), good: 200, error: json },
  // A machine's token has no user: good enough to be read, and refused for that alone. What is no form bears no token.
  { path: '/oauth/userinfo', allows: ['GET', 'POST'], headers: () => ({}), form: () => ({ access_token: token }), good: 403, error: challenge, noForm: [401] },
  { path: '/oauth/authorize', allows: ['GET', 'POST'], headers: () => ({}), good: 303, error: page,
    form: () => ({ client_id: web.client_id, redirect_uri: callback, response_type: 'code', scope: 'openid', code_challenge: pkce().challenge, code_challenge_method: 'S256' }) },
];

const many = (count) => Array.from({ length: count }, (_, i) => `p${i}=1`).join('&');
// [name, the body made of the good one, statuses, headers]. Statuses beyond 400 are those of HTTP itself.
const rows = [
  ['a value of 9 KiB', (good) => `${good}&x=${'v'.repeat(9 * 1024)}`, [400]],
  ['a name of 9 KiB', (good) => `${good}&${'n'.repeat(9 * 1024)}=1`, [400]],
  ['a form of 60 KiB', (good) => `${good}&${Array.from({ length: 10 }, (_, i) => `p${i}=${'v'.repeat(6000)}`).join('&')}`, [413]],
  ['a form of 1 MiB', (good) => `${good}&x=${'v'.repeat(1024 * 1024)}`, [413]],
  ['65 parameters', (good) => `${good}&${many(65)}`, [400]],
  ['an escape cut short', (good) => `${good}&x=a%4`, [400]],
  ['an escape that is none', (good) => `${good}&x=%zz`, [400]],
  ['a NUL', (good) => `${good}&x=%00`, [400]],
  ['bytes that are no UTF-8', (good) => `${good}&x=%ff`, [400]],
  ['every parameter twice', (good) => `${good}&${good}`, [400]],
  ['JSON', () => '{"a":"b"}', [400], { 'Content-Type': 'application/json' }],
  ['JSON that says it is a form', () => '{"a":"b"}', [400, 401]],
  ['parts', () => '--x\r\n\r\n--x--', [400], { 'Content-Type': 'multipart/form-data; boundary=x' }],
  ['plain text', (good) => good, [400], { 'Content-Type': 'text/plain' }],
  ['an unknown type', (good) => good, [400], { 'Content-Type': 'x' }],
];

for (const place of places) {
  // A body that is refused by its length alone may meet a connection that is closed already.
  const send = (body, headers) => post(server.url + place.path, body, { headers: { ...place.headers(), ...headers } })
    .catch((error) => { if (body.length < 1e6) throw error; return { status: 413 }; });
  const good = () => `${new URLSearchParams(place.form())}`;

  test(`${place.path} takes a good form, and skips fields that it does not know`, async () => {
    assert.equal((await send(good())).status, place.good);
    assert.equal((await send(`${good()}&flavour=mint&=&empty=`)).status, place.good);
    assert.equal((await send(good(), { 'Content-Type': 'application/x-www-form-urlencoded; charset=UTF-8' })).status, place.good);
  });

  test(`${place.path} refuses a bad form`, async (t) => {
    for (const [name, body, statuses, headers] of rows) {
      await t.test(name, async () => {
        const answer = await send(body(good()), headers);
        const expected = (headers && place.noForm) || statuses; // of rows only those that are no form have headers
        assert.ok(expected.includes(answer.status), `${answer.status}: ${JSON.stringify(answer.body)}`);
        if (answer.status === 400) place.error(answer);
      });
    }
  });

  test(`${place.path} does nothing with a form that was cut off`, async () => {
    const body = good();
    const head = [`POST ${place.path} HTTP/1.1`, 'Host: 127.0.0.1', 'Content-Type: application/x-www-form-urlencoded', `Content-Length: ${body.length + 1}`,
                  ...Object.entries(place.headers()).map(([name, value]) => `${name}: ${value}`)].join('\r\n');
    const { statuses, closed } = await exchange(server.port, `${head}\r\n\r\n${body}`, { answers: Infinity, half: true });
    assert.deepEqual([statuses, closed], [[], true]);
  });

  test(`${place.path} says which methods it takes`, async () => {
    for (const method of ['GET', 'PUT', 'DELETE', 'PATCH'].filter((each) => !place.allows.includes(each))) {
      const answer = await fetch(server.url + place.path, { method, headers: place.headers() });
      assert.equal(answer.status, 405, method);
      for (const allowed of place.allows) assert.ok(answer.headers.get('allow').split(', ').includes(allowed), method);
    }
  });
}

test('the pages take nothing from a form without the browser\'s own cookie, whatever is in it', async () => {
  for (const path of ['/login', '/consent']) {
    for (const [name, body, , headers] of rows) {
      const form = body('username=a&password=b&flow=x&csrf=y&decision=allow');
      const answer = await post(server.url + path, form, { headers }).catch((error) => { if (form.length < 1e6) throw error; });
      assert.ok([400, 403, 413].includes(answer?.status ?? 413), `${path}, ${name}: ${answer?.status}`);
      assert.equal(answer?.headers.get('set-cookie') ?? null, null);
    }
    for (const method of ['PUT', 'DELETE', 'PATCH']) assert.equal((await fetch(server.url + path, { method })).status, 405, `${method} ${path}`);
  }
});
