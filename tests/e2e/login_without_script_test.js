// Signing in and agreeing in a real browser whose JavaScript is switched off.
import { test, before } from 'node:test';
import assert from 'node:assert/strict';
import { browser } from './lib/chromium.js';
import { serve } from './lib/server.js';
import { authorizeUrl, callback, pkce, redeem } from './lib/oauth.js';

const user = { name: 'grace', password: 'compilers are friends' };
const server = await serve({ prepare: (s) => s.addUser(user.name, user.password) });
const chromium = await browser();
let client;
before(async () => {
  client = await server.addClient('--name', 'Web shop', '--redirect-uri', callback, '--grant', 'authorization_code',
                                  '--grant', 'refresh_token', '--scope', 'openid offline_access notes');
});

async function openLogin(options) {
  const page = await chromium.newPerson({ javaScriptEnabled: false, ...options });
  const { verifier, challenge } = pkce();
  await page.route(`${callback}**`, (route) => route.fulfill({ body: 'arrived' }));
  await page.goto(`${authorizeUrl(server, client, { scope: 'openid notes', prompt: 'consent', code_challenge: challenge, code_challenge_method: 'S256' })}`);
  return { page, verifier };
}
const button = (page, words) => page.locator('button, input[type=submit]').filter({ hasText: words }).or(page.getByRole('button', { name: words })).first();
async function login(page, password = user.password) {
  await page.locator('input:not([type=hidden]):not([type=password])').first().fill(user.name);
  await page.locator('input[type=password]').fill(password);
  await page.locator('form button, form input[type=submit]').first().click();
}

test('a person signs in, sees who asks for what, agrees, and the code is good', async () => {
  const { page, verifier } = await openLogin();
  await login(page);
  assert.match(await page.textContent('body'), /Web shop/);
  assert.match(await page.textContent('body'), /notes/);
  await button(page, /allow|approve|accept/i).click();
  await page.waitForURL(`${callback}**`);
  const code = new URL(page.url()).searchParams.get('code');
  assert.equal((await redeem(server, client, { code, verifier })).status, 200);
});

test('a person who denies goes back with access_denied', async () => {
  const { page } = await openLogin();
  await login(page);
  await button(page, /deny|cancel/i).click();
  await page.waitForURL(`${callback}**`);
  assert.equal(new URL(page.url()).searchParams.get('error'), 'access_denied');
});

test('a wrong password is told on the page, and the right one goes on', async () => {
  const { page } = await openLogin();
  await login(page, 'wrong');
  assert.equal(await page.locator('input[type=password]').count(), 1);
  assert.equal(await page.locator('[role=alert]').count(), 1);
  await login(page);
  await button(page, /allow|approve|accept/i).waitFor();
});

test('the back button and a second try do no harm', async () => {
  const { page } = await openLogin();
  await login(page);
  await button(page, /allow|approve|accept/i).waitFor();
  await page.goBack();
  await page.goForward();
  await button(page, /allow|approve|accept/i).click();
  await page.waitForURL(`${callback}**`);
  assert.ok(new URL(page.url()).searchParams.get('code'));
});

test('the pages can be used by keyboard and by a screen reader, and fit a phone', async () => {
  const { page } = await openLogin({ viewport: { width: 320, height: 640 } });
  for (const check of [() => page.locator('html[lang]').count(), () => page.locator('h1').count(), () => page.locator('title').count()]) {
    assert.ok((await check()) >= 1);
  }
  assert.equal(await page.getByLabel(/password/i).count(), 1, 'the password field has a label');
  await page.getByLabel(/user|name|e-?mail/i).first().fill(user.name);
  await page.keyboard.press('Tab');
  await page.keyboard.type(user.password);
  await page.keyboard.press('Enter');
  await button(page, /allow|approve|accept/i).waitFor();
  const width = await page.locator('body').boundingBox();
  assert.ok(width.width <= 320, `the page is ${width.width} wide on a phone of 320`);
});
