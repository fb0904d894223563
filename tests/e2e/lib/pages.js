// The pages that people see, each as somebody gets to it: for the tests of how they can be used, and for the
// pictures that `./dev pictures` takes.
import { authorizeUrl, callback, pkce } from './oauth.js';

export const person = { name: 'ada', password: 'the engine weaves patterns' };

/// What a server needs before it starts.
export const prepare = (server) => server.addUser(person.name, person.password, '--email', 'ada@example.org');
export const addShop = (server) => server.addClient(
  '--name', 'Web shop', '--redirect-uri', callback, '--grant', 'authorization_code', '--grant', 'refresh_token',
  '--scope', 'openid profile email offline_access orders');

async function signIn(page) {
  await page.locator('#username').fill(person.name);
  await page.locator('#password').fill(person.password);
  await page.locator('form button').click();
}
const ask = (server, shop, more) => `${authorizeUrl(server, shop, {
  scope: 'openid profile email offline_access orders', code_challenge: pkce().challenge, code_challenge_method: 'S256', ...more })}`;

/// By name: brings `page`, of somebody who is nowhere signed in, to that page.
export const pages = {
  login: async (page, server, shop) => { await page.goto(ask(server, shop)); },
  'login-refused': async (page, server, shop) => {
    await page.goto(ask(server, shop));
    await page.locator('#username').fill(person.name);
    await page.locator('#password').fill('not this one');
    await page.locator('form button').click();
    await page.getByRole('alert').waitFor();
  },
  consent: async (page, server, shop) => {
    await page.goto(ask(server, shop, { prompt: 'consent' }));
    await signIn(page);
    await page.waitForURL('**/consent?**');
  },
  account: async (page, server, shop) => {
    await pages.consent(page, server, shop);
    // Not by the button: it leads to the client's address, where nobody answers.
    const form = Object.fromEntries(await page.locator('input[type=hidden]').evaluateAll((all) => all.map((each) => [each.name, each.value])));
    await page.request.post(`${server.url}/consent`,
                            { form: { ...form, decision: 'allow' }, headers: { Origin: server.url }, maxRedirects: 0 });
    await page.goto(`${server.url}/account`);
    await page.getByText('Web shop').waitFor();
  },
  logout: async (page, server) => {
    await page.goto(`${server.url}/account`);
    await signIn(page);
    await page.waitForURL('**/account');
    await page.goto(`${server.url}/oauth/logout`);
  },
  error: async (page, server, shop) => { await page.goto(ask(server, shop, { redirect_uri: 'https://elsewhere.example/' })); },
};
