// The command line, alone and beside a running server, and what it says to mistakes.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { Server, folder, serve, troupe, until } from './lib/server.js';
import { callback, keyIds, post } from './lib/oauth.js';
import { UserAgent } from './lib/user_agent.js';

const alone = () => new Server(folder());
const machine = ['client', 'add', '--name', 'Machine', '--grant', 'client_credentials', '--scope', 'read write', '--json'];

test('version and help', () => {
  const version = troupe(['version']);
  assert.deepEqual([version.status, /\d+\.\d+\.\d+/.test(version.out)], [0, true], version.out);
  for (const args of [[], ['serve'], ['client'], ['client', 'add'], ['client', 'list'], ['user'], ['user', 'add'], ['user', 'password'], ['user', 'disable'], ['user', 'enable'], ['keys'], ['keys', 'rotate'], ['config'], ['config', 'check'], ['version']]) {
    const help = troupe([...args, '--help']);
    assert.equal(help.status, 0, `${args.join(' ')} --help`);
    assert.ok(help.out.includes('--help'), `${args.join(' ')}: ${help.out}`);
  }
});

test('a client is added, listed, shown, updated and removed', () => {
  const server = alone();
  const added = JSON.parse(server.command(...machine).out);
  assert.ok(added.client_id && added.client_secret);
  assert.ok(server.command('client', 'list').out.includes(added.client_id));
  const shown = server.command('client', 'show', added.client_id);
  assert.ok(shown.out.includes('Machine') && !shown.out.includes(added.client_secret));
  assert.equal(server.command('client', 'update', added.client_id, '--name', 'Robot').status, 0);
  assert.ok(server.command('client', 'show', added.client_id).out.includes('Robot'));
  assert.equal(server.command('client', 'remove', added.client_id).status, 0);
  assert.ok(!server.command('client', 'list').out.includes(added.client_id));
  assert.notEqual(server.command('client', 'show', added.client_id).status, 0);
});

test('a public client has no secret', () => {
  const server = alone();
  const added = JSON.parse(server.command('client', 'add', '--name', 'Phone', '--public', '--redirect-uri', callback, '--grant', 'authorization_code', '--json').out);
  assert.equal(added.client_secret, undefined);
});

test('a user gets another password, is disabled and enabled, and a running server sees it', async () => {
  const server = await serve();
  await server.addUser('erin', 'first password');
  /// Whether this person gets to the account page with this password.
  const signsIn = async (name, password) => {
    const person = new UserAgent(server.url);
    const page = await person.login(await person.open('/account'), name, password);
    return new URL(page.url).pathname === '/account';
  };
  assert.ok(await signsIn('erin', 'first password'));
  const change = (...args) => server.command('user', ...args);
  assert.notEqual(change('password', 'erin').status, 0, 'a password is not read from nowhere');
  assert.notEqual(change('password', 'erin', '--password-stdin', { input: 'short\n' }).status, 0);
  assert.notEqual(change('password', 'nobody', '--password-stdin', { input: 'second password\n' }).status, 0);
  assert.equal(change('password', 'erin', '--password-stdin', { input: 'second password\n' }).status, 0);
  assert.ok(!(await signsIn('erin', 'first password')));
  assert.ok(await signsIn('erin', 'second password'));
  assert.equal(change('disable', 'erin').status, 0);
  assert.ok(!(await signsIn('erin', 'second password')));
  assert.match(change('list').out, /erin.*\(disabled\)/);
  assert.equal(JSON.parse(change('list', '--json').out)[0].disabled, true);
  assert.equal(change('enable', 'erin').status, 0);
  assert.ok(await signsIn('erin', 'second password'));
  assert.notEqual(change('disable', 'nobody').status, 0);
  assert.notEqual(change('enable', 'nobody').status, 0);
});

test('users are added once, listed and removed', () => {
  const server = alone();
  const add = (name) => server.command('user', 'add', name, '--email', `${name}@example.org`, '--password-stdin', { input: 'good password\n' });
  assert.equal(add('frank').status, 0);
  assert.notEqual(add('frank').status, 0);
  assert.ok(server.command('user', 'list').out.includes('frank'));
  assert.equal(server.command('user', 'remove', 'frank').status, 0);
  assert.ok(!server.command('user', 'list').out.includes('frank'));
});

test('a running server knows a new client by itself, and an old one no longer', async () => {
  const server = await serve();
  const client = JSON.parse(server.command(...machine).out);
  const status = async () => (await post(`${server.url}/oauth/token`, { grant_type: 'client_credentials' }, { client })).status;
  assert.ok(await until(async () => await status() === 200), 'it is not known');
  assert.equal(server.command('client', 'remove', client.client_id).status, 0);
  assert.ok(await until(async () => await status() === 401), 'it is still known');
});

test('rotated keys appear in a running server\'s JWKS, beside the old ones', async () => {
  const server = await serve();
  const before = await keyIds(server);
  const done = server.command('keys', 'rotate');
  assert.equal(done.status, 0, done.err);
  let after;
  await until(async () => (after = await keyIds(server)).length > before.length);
  assert.ok(after.length > before.length, `${before.length} keys, then ${after.length}`);
  for (const kid of before) assert.ok(after.includes(kid), 'an old key is gone though tokens signed with it are alive');
  assert.ok(server.command('keys', 'list').out.includes(after.at(-1)));
});

const mistakes = [
  ['no command', []],
  ['an unknown command', ['dance']],
  ['an unknown flag', ['serve', '--fast']],
  ['a client without a name', ['client', 'add', '--grant', 'client_credentials']],
  ['an unknown grant', ['client', 'add', '--name', 'x', '--grant', 'magic']],
  ['the implicit grant', ['client', 'add', '--name', 'x', '--grant', 'implicit']],
  ['a code client without a redirect URI', ['client', 'add', '--name', 'x', '--grant', 'authorization_code']],
  ...['javascript:alert(1)', 'data:text/html,x', 'https://a.example/#f', '/relative', 'http://a.example/cb', ''].map((uri) =>
    [`the redirect URI "${uri}"`, ['client', 'add', '--name', 'x', '--grant', 'authorization_code', '--redirect-uri', uri]]),
  ['a scope with a quote', ['client', 'add', '--name', 'x', '--grant', 'client_credentials', '--scope', 'a"b']],
  ['a public machine client', ['client', 'add', '--name', 'x', '--public', '--grant', 'client_credentials']],
  ['a client that is not there', ['client', 'show', 'nobody']],
  ['a removal of nobody', ['client', 'remove', 'nobody']],
  ['a user that is not there', ['user', 'remove', 'nobody']],
  ['a user without a password', ['user', 'add', 'x', '--password-stdin', { input: '' }]],
  ['a listen address without a port', ['serve', '--listen', '127.0.0.1']],
  ['a port beyond 65535', ['serve', '--listen', '127.0.0.1:65536']],
  ['a port of text', ['serve', '--listen', '127.0.0.1:http']],
];
test('a mistake on the command line is told in a sentence, and nothing happens', async (t) => {
  const server = alone();
  assert.equal(server.command('user', 'add', 'somebody', '--password-stdin', { input: 'correct horse battery' }).status, 0);  // which makes a database
  for (const [name, args] of mistakes) {
    await t.test(name, () => {
      const { status, out, err } = name === 'no command' ? troupe([]) : server.command(...args);
      assert.ok(status !== 0 && status !== null, `it ended with ${status}`);
      assert.ok((err || out).trim().length > 10, 'no sentence');
      assert.doesNotMatch(err, /invariant|terminate called|Sanitizer/i);
    });
  }
  const list = server.command('client', 'list', '--json');
  assert.equal(list.status, 0);
  assert.deepEqual(JSON.parse(list.out), []);
});

const badConfigs = [
  ['an unknown key', '[server]\nflavour = "mint"\n', /flavour/],
  ['an unknown section', '[kitchen]\nsink = 1\n', /kitchen/],
  ['a wrong type', '[realtime]\necho = "perhaps"\n', /echo/],
  ['no TOML', '[server\n', /line 1|:1|1:/],
];
test('config check names what is wrong and where', async (t) => {
  for (const [name, text, expected] of badConfigs) {
    await t.test(name, () => {
      const home = folder(text);
      const { status, out, err } = troupe(['config', 'check', '--config', `${home}/troupe.toml`]);
      assert.notEqual(status, 0);
      assert.match(out + err, expected);
    });
  }
});

test('config check reports every error at once, with line numbers', () => {
  const home = folder('[server]\nflavour = "mint"\n\n[realtime]\necho = 17\n\n[kitchen]\nsink = 1\n');
  const { status, out, err } = troupe(['config', 'check', '--config', `${home}/troupe.toml`]);
  const text = out + err;
  assert.notEqual(status, 0);
  for (const part of ['flavour', 'echo', 'kitchen']) assert.ok(text.includes(part), `${part} is not in:\n${text}`);
  for (const line of [2, 5]) assert.match(text, new RegExp(`(line |:)${line}\\b`), text);
});

test('an empty configuration is sound, and a missing file is told', () => {
  assert.equal(troupe(['config', 'check', '--config', `${folder()}/troupe.toml`]).status, 0);
  const { status, out, err } = troupe(['config', 'check', '--config', '/nowhere/troupe.toml']);
  assert.notEqual(status, 0);
  assert.ok((out + err).includes('/nowhere/troupe.toml'));
});

test('the environment overrides the file, and a wrong value in it is told', () => {
  const home = folder('[realtime]\necho = false\n');
  const check = (value) => troupe(['config', 'check', '--config', `${home}/troupe.toml`], { env: { TROUPE_REALTIME_ECHO: value } });
  assert.equal(check('true').status, 0);
  const wrong = check('perhaps');
  assert.notEqual(wrong.status, 0);
  assert.match(wrong.out + wrong.err, /TROUPE_REALTIME_ECHO/);
});

test('a server with a wrong configuration does not start', () => {
  const home = folder('[server]\nflavour = "mint"\n');
  const { status, out, err } = troupe(['serve', '--config', `${home}/troupe.toml`, '--data', `${home}/data`, '--listen', '127.0.0.1:0']);
  assert.ok(status !== 0 && status !== null);
  assert.match(out + err, /flavour/);
});

test('a data folder that cannot be made is told', () => {
  const home = folder();
  writeFileSync(`${home}/data`, 'a file, not a folder');
  const { status, out, err } = troupe(['client', 'list', '--config', `${home}/troupe.toml`, '--data', `${home}/data`]);
  assert.ok(status !== 0 && status !== null);
  assert.ok((out + err).includes(`${home}/data`));
});
