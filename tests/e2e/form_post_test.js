// response_mode=form_post in Chromium: the browser posts the code to the application, with script by itself, without by
// a button.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { browser } from './lib/chromium.js';
import { askToken, authorizeUrl, pkce } from './lib/oauth.js';
import { serve } from './lib/server.js';

const user = { name: 'sven', password: 'posts are safer than links' };
const server = await serve({ prepare: (s) => s.addUser(user.name, user.password) });
const chromium = await browser();
let client, posted;
const application = createServer(async (request, response) => {
  if (request.method === 'POST') posted = { url: request.url, form: Object.fromEntries(new URLSearchParams(await text(request))) };
  response.end('arrived');
});
await new Promise((done) => application.listen(0, '127.0.0.1', done));
after(() => application.close());
const redirect = `http://127.0.0.1:${application.address().port}/callback?tenant=a&b=c`;
before(async () => {
  client = await server.addClient('--name', 'Posted', '--redirect-uri', redirect, '--grant', 'authorization_code', '--scope', 'openid');
});

async function arrive(page, press) {
  posted = undefined;
  const { verifier, challenge } = pkce();
  await page.goto(`${authorizeUrl(server, client, { redirect_uri: redirect, scope: 'openid', state: `"'<&>`, response_mode: 'form_post',
                                                    prompt: 'consent', code_challenge: challenge, code_challenge_method: 'S256' })}`);
  await page.locator('#username').fill(user.name);
  await page.locator('#password').fill(user.password);
  await page.locator('form button').first().click();
  await page.getByRole('button', { name: /allow/i }).click();
  if (press) await page.getByRole('button', { name: /continue/i }).click();
  await page.getByText('arrived').waitFor();
  assert.equal(posted.url, '/callback?tenant=a&b=c');
  assert.equal(posted.form.state, `"'<&>`);
  assert.equal(posted.form.iss, server.url);
  const form = { grant_type: 'authorization_code', code: posted.form.code, code_verifier: verifier, redirect_uri: redirect };
  assert.equal((await askToken(server, client, form)).status, 200);
}

test('with script the browser posts the code by itself', async () => {
  const page = await chromium.newPerson();
  await arrive(page, false);
  assert.deepEqual(page.errors, []);
});

test('without script a person presses the button', async () => {
  await arrive(await chromium.newPerson({ javaScriptEnabled: false }), true);
});
