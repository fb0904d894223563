// The account and sign-out pages in a real browser whose JavaScript is switched off.
import { test, before } from 'node:test';
import assert from 'node:assert/strict';
import { browser } from './lib/chromium.js';
import { serve, within } from './lib/server.js';
import { askToken, authorizeUrl, callback, introspect, pkce, redeem } from './lib/oauth.js';
import { Client } from './lib/websocket.js';

const server = await serve({
  prepare: async (s) => {
    for (const name of ['ada', 'edsger', 'tony', 'barbara', 'niklaus']) await s.addUser(name, `the first one of ${name}`);
  },
});
const first = (name) => `the first one of ${name}`;
const chromium = await browser();
const goodbye = 'http://127.0.0.1:9/goodbye';
let shop;
before(async () => {
  shop = await server.addClient('--name', 'Web shop', '--redirect-uri', callback, '--logout-uri', goodbye,
                                '--grant', 'authorization_code', '--grant', 'refresh_token',
                                '--scope', 'openid offline_access topic:news:subscribe');
});

/// A person who has signed in at their account.
async function signedIn(name, password = first(name), options = {}) {
  const page = await chromium.newPerson({ javaScriptEnabled: false, ...options });
  await page.goto(`${server.url}/account`);
  await page.getByLabel('User name').fill(name);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.locator('main.wide, [role=alert]').first().waitFor();
  return page;
}

/// What the shop gets in this person's browser.
async function tokensFor(page, scope) {
  const { verifier, challenge } = pkce();
  await page.route('http://127.0.0.1:9/**', (route) => route.fulfill({ body: 'arrived' }));
  const url = authorizeUrl(server, shop, { scope, prompt: 'consent', code_challenge: challenge, code_challenge_method: 'S256' });
  await page.goto(`${url}`);
  await page.getByRole('button', { name: 'Allow' }).click();
  await page.waitForURL(`${callback}**`);
  const answer = await redeem(server, shop, { code: new URL(page.url()).searchParams.get('code'), verifier });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return answer.body;
}

const isActive = async (token) => (await introspect(server, shop, token)).active;

test('the account page shows who one is and the browser one sits at', async () => {
  const page = await signedIn('ada');
  assert.equal(new URL(page.url()).pathname, '/account');
  assert.match(await page.textContent('main'), /signed in as ada/);
  assert.match(await page.textContent('ul.cards'), /Chrom.* on Linux.*this browser/s);
  assert.match(await page.textContent('main'), /127\.0\.0\.1/);
  assert.deepEqual(page.errors, []);
});

test('a new password ends the session of another browser and the old password', async () => {
  const there = await signedIn('edsger');
  const here = await signedIn('edsger');
  await here.getByLabel('Present password').fill('a wrong one');
  await here.getByLabel('New password', { exact: true }).fill('the second one');
  await here.getByLabel('New password, once more').fill('the second one');
  await here.getByRole('button', { name: 'Change the password' }).click();
  assert.match(await here.getByRole('alert').textContent(), /present password is wrong/);
  await here.getByLabel('Present password').fill(first('edsger'));
  await here.getByLabel('New password', { exact: true }).fill('the second one');
  await here.getByLabel('New password, once more').fill('the second one');
  await here.getByRole('button', { name: 'Change the password' }).click();
  assert.match(await here.getByRole('status').textContent(), /has been changed/);
  await there.goto(`${server.url}/account`);
  assert.equal(new URL(there.url()).pathname, '/login');
  const old = await signedIn('edsger');
  assert.equal(await old.getByRole('alert').count(), 1);
  assert.equal(new URL((await signedIn('edsger', 'the second one')).url()).pathname, '/account');
});

test('the session of another browser is ended from this one', async () => {
  const there = await signedIn('tony', undefined, { userAgent: 'Mozilla/5.0 (X11; Linux x86_64) Firefox/128.0' });
  const here = await signedIn('tony');
  await here.getByRole('button', { name: 'Sign out Firefox on Linux' }).click();
  assert.match(await here.getByRole('status').textContent(), /Signed out there/);
  assert.equal(await here.getByRole('button', { name: /Firefox/ }).count(), 0);
  await there.goto(`${server.url}/account`);
  assert.equal(new URL(there.url()).pathname, '/login');
});

test('what an application was allowed is taken back, and its WebSocket closes', async () => {
  const page = await signedIn('barbara');
  const tokens = await tokensFor(page, 'openid offline_access topic:news:subscribe');
  const socket = await Client.open(server.ws(), { token: tokens.access_token });
  await page.goto(`${server.url}/account`);
  await page.getByRole('button', { name: 'Take back from Web shop' }).click();
  await page.getByRole('status').waitFor();
  assert.match(await page.textContent('main'), /taken back.*You have allowed nothing/s);
  const end = await within(10_000, socket.closed);
  assert.equal(end?.code, 4001);
  assert.equal(await isActive(tokens.access_token), false);
  const refreshed = await askToken(server, shop, { grant_type: 'refresh_token', refresh_token: tokens.refresh_token });
  assert.equal(refreshed.body.error, 'invalid_grant');
});

test('sign-out asks, remembers the way back, and ends the tokens of the session', async () => {
  const page = await signedIn('niklaus');
  const tokens = await tokensFor(page, 'openid');
  const out = new URL('/oauth/logout', server.url);
  out.search = new URLSearchParams({ client_id: shop.client_id, post_logout_redirect_uri: goodbye, state: 'so long' });
  await page.goto(`${out}`);
  assert.match(await page.textContent('h1'), /Sign out\?/);
  assert.equal(await isActive(tokens.access_token), true);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.waitForURL(`${goodbye}**`);
  assert.equal(new URL(page.url()).searchParams.get('state'), 'so long');
  assert.equal(await isActive(tokens.access_token), false);
  await page.goto(`${server.url}/account`);
  assert.equal(new URL(page.url()).pathname, '/login');
});

test('a form of a client signs out at once with the ID token of the session', async () => {
  const page = await signedIn('niklaus');
  const tokens = await tokensFor(page, 'openid');
  const form = `<form method="post" action="${server.url}/oauth/logout">
    <input name="id_token_hint" value="${tokens.id_token}"><input name="post_logout_redirect_uri" value="${goodbye}">
    <button>Leave</button></form>`;
  await page.route('http://shop.test/**', (route) => route.fulfill({ contentType: 'text/html', body: form }));
  await page.goto('http://shop.test/');
  await page.getByRole('button', { name: 'Leave' }).click();
  await page.waitForURL(`${goodbye}**`);
  assert.equal(await isActive(tokens.access_token), false);
});

test('the account page fits a phone and names its fields', async () => {
  const page = await signedIn('ada', undefined, { viewport: { width: 320, height: 640 } });
  const box = await page.locator('main').boundingBox();
  assert.ok(box.x + box.width <= 320, `the page is ${box.width} wide on a phone of 320`);
  assert.equal(await page.getByLabel('Present password').count(), 1);
  assert.ok((await page.locator('html[lang]').count()) === 1 && (await page.locator('h1').count()) === 1);
});
