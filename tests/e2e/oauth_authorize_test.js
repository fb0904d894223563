// GET /oauth/authorize, /login and /consent under attack and mistake. A wrong client or
// redirect URI gets a page and never a redirect; everything else goes back to the client
// with error, state and iss.
import { test, before } from 'node:test';
import assert from 'node:assert/strict';
import { serve } from './lib/server.js';
import { UserAgent } from './lib/user_agent.js';
import { authorizeUrl, callback, newCode, pkce, redeem } from './lib/oauth.js';

const user = { name: 'carol', password: 'open sesame, please' };
const server = await serve({ prepare: (s) => s.addUser(user.name, user.password) });
let web, two, native;
before(async () => {
  const all = ['--grant', 'authorization_code', '--grant', 'refresh_token', '--scope', 'openid offline_access notes'];
  web = await server.addClient('--name', '<b>Bold</b> & "sons"', '--redirect-uri', callback, ...all);
  two = await server.addClient('--name', 'Two', '--redirect-uri', callback, '--redirect-uri', `${callback}/2`, ...all);
  native = await server.addClient('--name', 'Native', '--public', '--redirect-uri', 'http://127.0.0.1/cb', ...all);
});
const challenge = { code_challenge: pkce().challenge, code_challenge_method: 'S256' };
// Always asks for consent, whatever the tests before agreed to.
const asking = { ...challenge, scope: 'notes', prompt: 'consent' };
const ask = (client, parameters) => fetch(authorizeUrl(server, client, { ...challenge, scope: 'notes', ...parameters }), { redirect: 'manual' });

const badUris = ['http://evil.example/callback', `${callback}/more`, `${callback}?x=1`, `${callback}#f`, `${callback}/`,
                 `${callback}/../callback`, 'http://127.0.0.1:9/CALLBACK', 'http://127.0.0.1:9@evil.example/callback',
                 'http://127.0.0.1:9/%63allback', 'http://127.0.0.1:9\\callback', 'https://127.0.0.1:9/callback',
                 '//127.0.0.1:9/callback', 'javascript:alert(1)', `${callback}\t`, `${callback}\r\nX: y`, 'callback'];
test('a redirect URI that is not the registered one, byte for byte, gets a page', async (t) => {
  for (const redirect_uri of badUris) {
    await t.test(JSON.stringify(redirect_uri), async () => {
      const response = await ask(web, { redirect_uri });
      assert.equal(response.status, 400);
      assert.equal(response.headers.get('location'), null);
      assert.match(response.headers.get('content-type'), /^text\/html/);
    });
  }
});

test('an unknown client gets the same page', async () => {
  for (const client_id of ['nobody', '', 'x'.repeat(3000), '<script>alert(1)</script>']) {
    const response = await ask({ client_id }, {});
    assert.deepEqual([response.status, response.headers.get('location')], [400, null]);
    assert.ok(!(await response.text()).includes('<script>alert'));
  }
});

test('with two registered redirect URIs one must be named', async () => {
  assert.equal((await ask(two, { redirect_uri: undefined })).status, 400);
});

test('a native client may use any port of the loopback address it registered', async () => {
  assert.notEqual((await ask(native, { redirect_uri: 'http://127.0.0.1:51234/cb' })).status, 400);
  for (const redirect_uri of ['http://localhost:51234/cb', 'http://127.0.0.1:51234/other', 'https://127.0.0.1:51234/cb', 'http://127.0.0.2/cb']) {
    assert.equal((await ask(native, { redirect_uri })).status, 400, redirect_uri);
  }
});

const redirected = [
  ['no response_type', { response_type: undefined }, 'invalid_request'],
  ['response_type token', { response_type: 'token' }, 'unsupported_response_type'],
  ['response_type code token', { response_type: 'code token' }, 'unsupported_response_type'],
  ['an unknown scope', { scope: 'notes fly' }, 'invalid_scope'],
  ['a scope with a quote', { scope: 'no"tes' }, 'invalid_scope'],
  ['no code_challenge', { code_challenge: undefined, code_challenge_method: undefined }, 'invalid_request'],
  ['an empty code_challenge', { code_challenge: '' }, 'invalid_request'],
  ['code_challenge_method plain', { code_challenge_method: 'plain' }, 'invalid_request'],
  ['code_challenge_method s256', { code_challenge_method: 's256' }, 'invalid_request'],
  ['no code_challenge_method, which means plain', { code_challenge_method: undefined }, 'invalid_request'],
  ['a code_challenge too short', { code_challenge: 'abc' }, 'invalid_request'],
  ['a code_challenge of forbidden characters', { code_challenge: '!'.repeat(43) }, 'invalid_request'],
  ['prompt none without a session', { prompt: 'none', scope: 'openid' }, 'login_required'],
  ['prompt none and login', { prompt: 'none login' }, 'invalid_request'],
  ['a max_age that is no number', { max_age: 'soon', scope: 'openid' }, 'invalid_request'],
];
test('any other mistake goes back to the client with error, state and iss', async (t) => {
  for (const [name, parameters, error] of redirected) {
    await t.test(name, async () => {
      const response = await ask(web, parameters);
      assert.ok([302, 303].includes(response.status), `${response.status}: ${await response.text()}`);
      const location = new URL(response.headers.get('location'));
      assert.equal(location.origin + location.pathname, callback);
      const { searchParams } = location;
      assert.deepEqual([searchParams.get('error'), searchParams.get('state'), searchParams.get('iss')], [error, 'st4te', server.url]);
      assert.equal(searchParams.get('code'), null);
    });
  }
});

test('a parameter given twice is refused', async () => {
  const twice = async (name, value) => {
    const url = authorizeUrl(server, web, { ...challenge, scope: 'notes' });
    url.searchParams.append(name, value);
    return fetch(url, { redirect: 'manual' });
  };
  for (const name of ['client_id', 'redirect_uri']) assert.equal((await twice(name, 'x')).headers.get('location'), null, name);
  for (const name of ['scope', 'state', 'code_challenge', 'response_type']) {
    const location = (await twice(name, 'x')).headers.get('location');
    assert.ok(location?.startsWith(callback) && location.includes('error=invalid_request'), `${name}: ${location}`);
  }
});

test('state comes back bit by bit', async () => {
  for (const state of ['a b&c=d"\'<>', 'ünïcödé ☃', '%0d%0aX-Evil: 1', '\r\nX-Evil: 1', '+', 's'.repeat(2000)]) {
    const response = await ask(web, { state, response_type: 'token' });
    assert.equal(new URL(response.headers.get('location')).searchParams.get('state'), state);
    assert.equal(response.headers.get('x-evil'), null);
  }
});

test('a state over the limit is refused and not returned', async () => {
  const response = await ask(web, { state: 's'.repeat(4000) });
  const text = response.headers.get('location') ?? await response.text();
  assert.ok(response.status === 400 || text.includes('error=invalid_request'), `${response.status}`);
});

test('the pages cannot be framed, cached, sniffed, or made to run script', async () => {
  const agent = new UserAgent(server.url);
  const login = await agent.open(authorizeUrl(server, web, asking));
  const consent = await agent.login(login, user.name, user.password);
  for (const page of [login, consent]) {
    assert.equal(page.status, 200);
    const policy = page.headers.get('content-security-policy');
    assert.match(policy, /frame-ancestors 'none'/);
    assert.doesNotMatch(policy, /unsafe-inline|unsafe-eval|\*/);
    assert.equal(page.headers.get('x-frame-options'), 'DENY');
    assert.equal(page.headers.get('referrer-policy'), 'no-referrer');
    assert.equal(page.headers.get('x-content-type-options'), 'nosniff');
    assert.match(page.headers.get('cache-control'), /no-store/);
  }
  assert.ok(!consent.body.includes('<b>Bold</b>'), 'the client\'s name is escaped');
  assert.ok(consent.body.includes('&lt;b&gt;Bold&lt;/b&gt; &amp; &quot;sons&quot;') || /&lt;b&gt;Bold/.test(consent.body));
});

test('cookies are HttpOnly and SameSite', async () => {
  const response = await new UserAgent(server.url).fetch(authorizeUrl(server, web, { ...challenge, scope: 'notes' }));
  for (const cookie of response.headers.getSetCookie()) {
    assert.match(cookie, /HttpOnly/i);
    assert.match(cookie, /SameSite=Lax/i);
    assert.match(cookie, /Path=\//i);
  }
});

test('a wrong password says so, and the right one still works', async () => {
  const agent = new UserAgent(server.url);
  let page = await agent.open(authorizeUrl(server, web, asking));
  for (const [name, password] of [[user.name, 'wrong'], ['nobody', 'wrong'], [user.name, ''], ['', ''], [`${user.name}' OR '1'='1`, 'x']]) {
    page = await agent.login(page, name, password);
    assert.ok(!page.callback && page.status < 500, `${page.status}`);
    assert.ok(page.form('password'), 'the form is there again');
    assert.ok(!page.body.includes('value="wrong"'), 'the password is not sent back');
  }
  page = await agent.login(page, user.name, user.password);
  const end = await agent.decide(page);
  assert.ok(end.callback.searchParams.get('code'));
});

test('an unknown user and a wrong password are told alike', async () => {
  const texts = [];
  for (const name of [user.name, 'nobody-of-this-name']) {
    const agent = new UserAgent(server.url);
    const page = await agent.login(await agent.open(authorizeUrl(server, web, { ...challenge, scope: 'notes' })), name, 'wrong');
    texts.push(`${page.status} ${page.body.replace(/value="[^"]*"/g, '').replace(/nonce="[^"]*"/g, '')}`);
  }
  assert.equal(texts[0], texts[1]);
});

test('credentials are answered with 303, so that no browser sends them on', async () => {
  const agent = new UserAgent(server.url);
  const page = await agent.open(authorizeUrl(server, web, { ...challenge, scope: 'notes' }));
  const form = page.form('password');
  const body = new URLSearchParams(form.fields.filter((f) => f.name).map((f) => [f.name,
    f.type === 'password' ? user.password : f.type === 'text' && !f.button ? user.name : f.value]));
  const response = await agent.fetch(new URL(form.action, page.url), { method: 'POST', body: `${body}`,
    headers: { 'Content-Type': 'application/x-www-form-urlencoded', Origin: server.url } });
  assert.equal(response.status, 303);
});

test('denial goes back to the client as access_denied', async () => {
  const agent = new UserAgent(server.url);
  const login = await agent.open(authorizeUrl(server, web, asking));
  const end = await agent.decide(await agent.login(login, user.name, user.password), 'deny');
  const { searchParams } = end.callback;
  assert.deepEqual([searchParams.get('error'), searchParams.get('state'), searchParams.get('iss')], ['access_denied', 'st4te', server.url]);
});

async function submitted(page, agent, change, headers = {}) {
  const form = page.form();
  const fields = new URLSearchParams(form.fields.filter((f) => f.name).map((f) => [f.name,
    f.type === 'password' ? user.password : f.type === 'text' && !f.button ? user.name : f.value]));
  change(fields, form);
  return agent.fetch(new URL(form.action, page.url), { method: 'POST', body: `${fields}`,
    headers: { 'Content-Type': 'application/x-www-form-urlencoded', Origin: server.url, ...headers } });
}

test('a form that is not this browser\'s own is refused', async (t) => {
  const start = async () => {
    const agent = new UserAgent(server.url);
    return { agent, page: await agent.open(authorizeUrl(server, web, { ...challenge, scope: 'notes' })) };
  };
  const refused = (response) => assert.ok(response.status >= 400 && response.status < 500, `${response.status}`);
  await t.test('without its hidden fields', async () => {
    const { agent, page } = await start();
    refused(await submitted(page, agent, (fields, form) => form.fields.filter((f) => f.type === 'hidden').forEach((f) => fields.delete(f.name))));
  });
  await t.test('with the hidden fields of another browser', async () => {
    const [mine, other] = [await start(), await start()];
    refused(await submitted(other.page, mine.agent, () => {}));
  });
  await t.test('without cookies', async () => {
    const { page } = await start();
    refused(await submitted(page, new UserAgent(server.url), () => {}));
  });
  await t.test('from another site', async () => {
    const { agent, page } = await start();
    refused(await submitted(page, agent, () => {}, { Origin: 'https://evil.example', 'Sec-Fetch-Site': 'cross-site' }));
  });
  await t.test('consent without signing in', async () => {
    const { agent } = await start();
    const response = await agent.fetch('/consent', { method: 'POST', body: 'decision=allow',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded', Origin: server.url } });
    refused(response);
  });
});

test('two tabs with two flows both end well', async () => {
  const agent = new UserAgent(server.url);
  const open = (state) => agent.open(authorizeUrl(server, web, { ...challenge, scope: 'notes', state }));
  const [one, other] = [await open('one'), await open('two')];
  const finish = async (page) => {
    let next = page;
    if (next.body?.includes('password')) next = await agent.login(next, user.name, user.password);
    if (!next.callback) next = await agent.decide(next);
    return next.callback.searchParams;
  };
  const [first, second] = [await finish(one), await finish(other)];
  assert.deepEqual([first.get('state'), second.get('state')], ['one', 'two']);
  assert.ok(first.get('code') && second.get('code') && first.get('code') !== second.get('code'));
});

test('who is signed in already is not asked for the password again', async () => {
  const agent = new UserAgent(server.url);
  await newCode(server, web, agent, user, { scope: 'notes' });
  const page = await agent.open(authorizeUrl(server, web, { ...challenge, scope: 'notes' }));
  assert.ok(page.callback || !page.body.includes('type="password"'));
});

test('the session changes at login', async () => {
  const agent = new UserAgent(server.url);
  const page = await agent.open(authorizeUrl(server, web, { ...challenge, scope: 'notes' }));
  const before = new Map(agent.cookies);
  await agent.login(page, user.name, user.password);
  const changed = [...agent.cookies].filter(([name, value]) => before.get(name) !== value);
  assert.ok(changed.length > 0, 'no cookie is new after signing in');
});

test('authorize takes a POST as well', async () => {
  const url = authorizeUrl(server, web, { ...challenge, scope: 'notes' });
  const response = await fetch(`${url.origin}${url.pathname}`, { method: 'POST', body: url.search.slice(1), redirect: 'manual',
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' } });
  assert.ok([200, 302, 303].includes(response.status), `${response.status}`);
});

test('a code got by all this can be redeemed', async () => {
  const code = await newCode(server, web, new UserAgent(server.url), user, { scope: 'notes' });
  assert.equal(code.arrived.searchParams.get('iss'), server.url);
  assert.equal((await redeem(server, web, code)).status, 200);
});
