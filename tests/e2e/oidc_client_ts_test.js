// A single-page application of another origin with `oidc-client-ts`, in Chromium: it talks to the token, userinfo and
// revocation endpoints from its page, which its origin allows it to (CORS).
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { browser } from './lib/chromium.js';
import { introspect } from './lib/oauth.js';
import { serve } from './lib/server.js';

const user = { name: 'nina', password: 'a page is a client, too' };
const server = await serve({ prepare: (s) => s.addUser(user.name, user.password, '--email', 'nina@example.org') });
const chromium = await browser();

const library = readFileSync(join(import.meta.dirname, 'node_modules/oidc-client-ts/dist/browser/oidc-client-ts.min.js'));
/// Serves the application at every path of an origin of its own.
async function serveApp() {
  const app = createServer((request, response) => {
    if (request.url === '/favicon.ico') return response.writeHead(204).end();
    const isLibrary = request.url === '/library.js';
    response.writeHead(200, { 'Content-Type': isLibrary ? 'text/javascript' : 'text/html' });
    response.end(isLibrary ? library : '<!doctype html><title>app</title><script src="/library.js"></script>');
  });
  await new Promise((done) => app.listen(0, '127.0.0.1', done));
  after(() => app.close());
  return `http://127.0.0.1:${app.address().port}`;
}

const [origin, stranger] = [await serveApp(), await serveApp()];
let spa, api;
before(async () => {
  spa = await server.addClient('--name', 'Page', '--public', '--redirect-uri', `${origin}/callback`,
                               '--logout-uri', `${origin}/bye`, '--grant', 'authorization_code',
                               '--grant', 'refresh_token', '--scope', 'openid profile email offline_access');
  api = await server.addClient('--name', 'API', '--grant', 'client_credentials', '--scope', 'introspect');
});

const settings = () => ({
  authority: server.url, client_id: spa.client_id, redirect_uri: `${origin}/callback`,
  post_logout_redirect_uri: `${origin}/bye`, scope: 'openid profile email offline_access', loadUserInfo: true,
});
/// Runs `work(manager, oidc)` in the page, with a manager of these settings.
const inPage = (page, work, more = {}) => page.evaluate(
  `(${work})(new oidc.UserManager(${JSON.stringify({ ...settings(), ...more })}), oidc)`);

async function signIn(page) {
  await page.goto(`${origin}/`);
  await inPage(page, 'async (manager) => { await manager.signinRedirect({ prompt: "consent" }); }').catch(() => {});  // the page is left
  await page.locator('input[type=password]').waitFor();
  await page.locator('input:not([type=hidden]):not([type=password])').first().fill(user.name);
  await page.locator('input[type=password]').fill(user.password);
  await page.locator('form button').first().click();
  await page.getByRole('button', { name: /allow/i }).click();
  await page.waitForURL(`${origin}/callback**`);
  return inPage(page, 'async (manager) => (await manager.signinRedirectCallback())');
}

test('a page signs its user in, and reads who it is from userinfo', async () => {
  const page = await chromium.newPerson();
  const signed = await signIn(page);
  assert.equal(signed.profile.preferred_username, user.name);
  assert.equal(signed.profile.email, 'nina@example.org');
  assert.ok(signed.access_token && signed.refresh_token);
  assert.deepEqual(page.errors, []);
});

test('it renews its tokens by its refresh token', async () => {
  const page = await chromium.newPerson();
  const first = await signIn(page);
  const second = await inPage(page, 'async (manager) => (await manager.signinSilent())');
  assert.notEqual(second.access_token, first.access_token);
  assert.notEqual(second.refresh_token, first.refresh_token);
  assert.deepEqual(page.errors, []);
});

test('it gives its tokens back, and they are over', async () => {
  const page = await chromium.newPerson();
  const signed = await signIn(page);
  assert.equal((await introspect(server, api, signed.access_token)).active, true);
  await inPage(page, 'async (manager) => manager.revokeTokens(["access_token", "refresh_token"])');
  assert.equal((await introspect(server, api, signed.access_token)).active, false);
  assert.deepEqual(page.errors, []);
});

test('it signs out, and comes back to its own page', async () => {
  const page = await chromium.newPerson();
  await signIn(page);
  await inPage(page, 'async (manager) => { await manager.signoutRedirect(); }').catch(() => {});
  await page.waitForURL(`${origin}/bye**`);
  await page.goto(`${origin}/`);
  const silent = inPage(page, 'async (manager) => { await manager.signinRedirect({ prompt: "none" }); }').catch(() => {});
  await silent;
  await page.waitForURL(/error=login_required/);
});

test('the page of another origin gets no answer from the token endpoint', async () => {
  const page = await chromium.newPerson();
  await page.goto(`${stranger}/`);
  for (const path of ['token', 'revoke', 'userinfo']) {
    const said = await page.evaluate(async (url) => {
      try { return `${(await fetch(url, { method: 'POST', body: new URLSearchParams({ a: 'b' }) })).status}`; }
      catch (error) { return error.name; }
    }, `${server.url}/oauth/${path}`);
    assert.equal(said, 'TypeError', path);
  }
});
