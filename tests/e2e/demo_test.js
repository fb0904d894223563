// The demo page in a real browser: two people sign in and chat.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { browser } from './lib/chromium.js';
import { serve } from './lib/server.js';

const people = [{ name: 'heidi', password: 'mountains in summer' }, { name: 'ivan', password: 'rivers in winter' }];
const server = await serve({ args: ['--development'], prepare: async (s) => {
  for (const { name, password } of people) await s.addUser(name, password);
} });
const chromium = await browser();

async function join({ name, password }, at = server) {
  const page = await chromium.newPerson();
  await page.goto(`${at.url}/demo/`);
  await page.getByRole('button', { name: /sign in/i }).click();
  await page.locator('input[type=password]').waitFor();
  await page.locator('input:not([type=hidden]):not([type=password])').first().fill(name);
  await page.locator('input[type=password]').fill(password);
  await page.locator('form button, form input[type=submit]').first().click();
  const allow = page.getByRole('button', { name: /allow|approve|accept/i });
  await Promise.race([allow.waitFor().then(() => allow.click()).catch(() => {}), page.waitForURL(/\/demo\//).catch(() => {})]);
  await page.waitForURL(/\/demo\//);
  await composer(page).waitFor();
  return page;
}
const composer = (page) => page.locator('input[type=text], textarea, input:not([type])').last();
async function say(page, text) {
  await composer(page).fill(text);
  await composer(page).press('Enter');
}

test('two people sign in and hear each other, live', async () => {
  const [heidi, ivan] = [await join(people[0]), await join(people[1])];
  await say(heidi, 'hello from the mountains');
  await ivan.getByText('hello from the mountains').waitFor();
  await say(ivan, 'and from the river <b>grüße</b>');
  await heidi.getByText('and from the river <b>grüße</b>').waitFor();
  await heidi.getByText('hello from the mountains').waitFor();
  assert.deepEqual([heidi.errors, ivan.errors], [[], []], 'the browsers complained');
});

test('a server that was killed and started again: the pages come back by themselves, and say that messages may be missing', async () => {
  const own = await serve({ args: ['--development'], prepare: async (s) => {
    for (const { name, password } of people) await s.addUser(name, password);
  } });
  const [heidi, ivan] = [await join(people[0], own), await join(people[1], own)];
  await own.kill();
  await ivan.getByText('The connection was lost').waitFor();
  await say(heidi, 'written while the server was away');
  await own.start(own.port);
  // Which of them is back first is chance, and what the first one says then is what the other may miss.
  for (const page of [heidi, ivan]) await page.getByText('The server began anew').waitFor({ timeout: 40_000 });
  await heidi.getByText('written while the server was away').waitFor();
  await say(ivan, 'there you are');
  await heidi.getByText('there you are').waitFor({ timeout: 40_000 });
});

test('the address bar keeps neither code nor token', async () => {
  const page = await join(people[0]);
  assert.doesNotMatch(page.url(), /code=|token=|state=/);
});

test('without development configuration there is no demo', async () => {
  const production = await serve();
  assert.equal((await fetch(`${production.url}/demo/`)).status, 404);
});
