// The pages as people use them: with a keyboard alone, with a screen reader's eyes (axe-core), in light and in dark,
// with the look that the operator gave them.
import { test, before } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { browser } from './lib/chromium.js';
import { addShop, pages, person, prepare } from './lib/pages.js';
import { generous, serve, sleep, troupe, until } from './lib/server.js';
import { authorizeUrl, callback, pkce } from './lib/oauth.js';

const axe = readFileSync(join(import.meta.dirname, 'node_modules/axe-core/axe.min.js'), 'utf8');
const logo = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 40"><script>document.title = "run"</script>
  <circle cx="20" cy="20" r="18" fill="#7a1f5c"/></svg>`;
const look = (home) => `${generous}[oauth]
logo_file = "${join(home, 'logo.svg')}"
logo_text = "Acme"
page_accent = "#7a1f5c"
page_ground = "#f3e9f0"
page_accent_dark = "#f0a6d6"
`;

const server = await serve({ prepare });
const branded = await serve({
  prepare: async (s) => {
    writeFileSync(join(s.home, 'logo.svg'), logo);
    writeFileSync(s.config, look(s.home));
    await prepare(s);
  },
});
const chromium = await browser();
const shops = new Map();
before(async () => { for (const each of [server, branded]) shops.set(each, await addShop(each)); });

/// What axe-core finds wrong with the page, by the rules of WCAG 2.2 AA and good practice.
async function faults(page) {
  await page.evaluate(axe);
  const found = await page.evaluate(() => window.axe.run(document));
  return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => `${node.html} ${node.failureSummary}`).join('; ')}`);
}

for (const [name, open] of Object.entries(pages)) {
  test(`the page ${name} has nothing that axe-core finds fault with, in light, in dark, and in colours of one's own`, async () => {
    for (const where of [server, branded]) {
      for (const colorScheme of ['light', 'dark']) {
        // axe-core is a script, which the policy of our pages would keep out.
        const page = await chromium.newPerson({ colorScheme, bypassCSP: true });
        await open(page, where, shops.get(where));
        assert.deepEqual(await faults(page), [], `${colorScheme}, ${where === branded ? 'branded' : 'ours'}`);
        await page.context().close();
      }
    }
  });
}

test('the check finds what is wrong: a field without a label, and text that cannot be read', async () => {
  const page = await chromium.newPerson({ bypassCSP: true });
  await pages.login(page, server, shops.get(server));
  await page.evaluate(() => {
    document.querySelector('label').remove();
    document.querySelector('.faint').style.color = '#ddd';
  });
  const found = (await faults(page)).join('\n');
  assert.match(found, /^label: /m);
  assert.match(found, /^color-contrast: /m);
});

test('somebody signs in and agrees with the keyboard alone, and sees where they are', async () => {
  const page = await chromium.newPerson({ javaScriptEnabled: true });
  const query = { scope: 'openid orders', prompt: 'consent', code_challenge: pkce().challenge, code_challenge_method: 'S256' };
  await page.goto(`${authorizeUrl(server, shops.get(server), query)}`);
  const focused = () => page.evaluate(() => {
    const here = document.activeElement;
    return { name: here.name || here.textContent, ring: getComputedStyle(here).outlineStyle };
  });
  const tab = async () => { await page.keyboard.press('Tab'); return focused(); };
  assert.deepEqual(await tab(), { name: 'username', ring: 'solid' });
  await page.keyboard.type(person.name);
  assert.deepEqual(await tab(), { name: 'password', ring: 'solid' });
  await page.keyboard.type(person.password);
  assert.deepEqual(await tab(), { name: 'Sign in', ring: 'solid' });
  await page.keyboard.press('Enter');
  await page.waitForURL('**/consent?**');
  assert.deepEqual(await tab(), { name: 'decision', ring: 'solid' });
  assert.equal(await page.evaluate(() => document.activeElement.value), 'allow');
  const answer = page.waitForResponse((response) => response.request().method() === 'POST');
  await page.keyboard.press('Space');
  const { location } = await (await answer).allHeaders();
  assert.ok(location.startsWith(callback), location);
  assert.ok(new URL(location).searchParams.get('code'));
});

test('somebody who clicks twice on each button arrives all the same, and agrees to nothing that they have not seen', async () => {
  for (const pause of [0, 60, 200]) {
    const shop = await addShop(server);
    const page = await chromium.newPerson();
    let arrived;
    await page.route(`${callback}**`, async (route) => {
      await sleep(500);  // the application takes its time, and our page still stands there
      await route.fulfill({ contentType: 'text/html', body: '<h1>The application</h1>' }).then(() => { arrived = route.request().url(); }, () => {});
    });
    const clickTwice = async (button) => {
      const { x, y, width, height } = await button.boundingBox();
      await page.mouse.click(x + width / 2, y + height / 2);
      await sleep(pause);
      await page.mouse.click(x + width / 2, y + height / 2);
    };
    // Not by waitFor, which waits for the navigation that the second click has taken over.
    const heading = () => page.evaluate(() => document.querySelector('h1')?.textContent).catch(() => undefined);
    const arrives = async (wanted) => {
      assert.ok(await until(async () => await heading() === wanted), `${wanted} is not reached from ${page.url()}`);
    };
    await page.goto(`${authorizeUrl(server, shop, { scope: 'openid orders', code_challenge: pkce().challenge, code_challenge_method: 'S256' })}`);
    const signIn = async (click) => {
      await page.locator('#username').fill(person.name);
      await page.locator('#password').fill(person.password);
      await click(page.locator('form button'));
      await sleep(500);
    };
    await signIn(clickTwice);
    // Where the second click has come between the first's answer and the browser, the cookie has gone with that.
    if (/\/login\?flow=/.test(page.url())) await signIn((button) => button.click());
    await arrives('Allow Web shop?');
    await sleep(1000);  // it is read, and no click of before counts for an answer
    assert.equal(arrived, undefined);
    await clickTwice(page.locator('button[value=allow]'));
    await sleep(500);
    await arrives('The application');
    assert.ok(new URL(arrived).searchParams.get('code'));
    await page.context().close();
  }
});

test('the logo is shown with its text, and as a document of its own it runs nothing', async () => {
  const page = await chromium.newPerson();
  const shown = page.waitForResponse((response) => response.url().includes('/oauth/logo/'));
  await pages.login(page, branded, shops.get(branded));
  const image = await shown;
  assert.equal(image.status(), 200);
  assert.equal(image.headers()['content-type'], 'image/svg+xml');
  const before = await page.evaluate(() => {
    const style = getComputedStyle(document.querySelector('main'), '::before');
    return { text: style.content, height: style.height };
  });
  assert.deepEqual(before, { text: '"" / "Acme"', height: '48px' });
  assert.deepEqual(page.errors, []);
  await page.goto(image.url());
  assert.notEqual(await page.title(), 'run');
  assert.equal((await page.goto(`${server.url}/oauth/logo/x.svg`)).status(), 404);
});

test('colours that cannot be read keep a server from starting, with the line', () => {
  const file = join(server.home, 'grey.toml');
  writeFileSync(file, '[oauth]\npage_ink = "#aaaaaa"\n');
  const checked = troupe(['config', 'check', '--config', file]);
  assert.notEqual(checked.status, 0);
  assert.match(checked.out + checked.err, /grey\.toml:2: oauth\.page_ink gives text \(#aaaaaa on #ffffff\) a contrast of 2\.32:1/);
});

test('the guide shows each page in light and dark, in small pictures', () => {
  const guide = join(import.meta.dirname, '../../docs/guide');
  const shown = [...readFileSync(join(guide, 'pages.md'), 'utf8').matchAll(/\]\((\.\.\/images\/[\w-]+\.png)\)/g)].map(([, path]) => path);
  for (const name of Object.keys(pages)) {
    for (const scheme of ['light', 'dark']) {
      const path = `../images/${name}-${scheme}.png`;
      if (name !== 'login-refused') assert.ok(shown.includes(path), path);
    }
  }
  for (const path of shown) assert.ok(statSync(join(guide, path)).size < 60_000, path);
});
