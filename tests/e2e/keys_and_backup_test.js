// The server's own keys: sealed in the database, revoked when somebody else may have one, and brought back from a
// backup that was made while the server ran.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Server, folder, generous, serve, troupe, within } from './lib/server.js';
import { Client } from './lib/websocket.js';
import { introspect, keyIds, machineToken, post } from './lib/oauth.js';

const machine = (server) => server.addClient('--name', 'machine', '--grant', 'client_credentials',
                                             '--scope', 'topic:chat.*:subscribe');
const kidOf = (jwt) => JSON.parse(Buffer.from(jwt.split('.')[0], 'base64url')).kid;
const freshKey = () => {
  const made = troupe(['keys', 'new-encryption-key']);
  assert.match(made.out, /^[A-Za-z0-9_-]{43}\n$/);
  return made.out.trim();
};

test('a key that somebody else may have is revoked: its tokens are worth nothing and their connections close', async () => {
  const server = await serve();
  const client = await machine(server);
  const token = await machineToken(server, client);
  const socket = await Client.open(server.ws(), { token });
  const done = server.command('keys', 'rotate', '--revoke', kidOf(token));
  assert.equal(done.status, 0, done.err);
  assert.match(done.out, /is revoked/);
  assert.equal((await within(10_000, socket.closed))?.code, 4001);
  assert.ok(!(await keyIds(server)).includes(kidOf(token)));
  assert.deepEqual(await introspect(server, client, token), { active: false });
  const next = await machineToken(server, client);
  assert.notEqual(kidOf(next), kidOf(token));
  await (await Client.open(server.ws(), { token: next })).close();
  const unknown = server.command('keys', 'rotate', '--revoke', 'nothing');
  assert.equal(unknown.status, 1);
  assert.match(unknown.err, /there is no key nothing/);
});

test('with an encryption key the keys stand sealed in the database; without it the server says what it needs', async () => {
  const encryption = freshKey();
  const server = await serve({ env: { TROUPE_OAUTH_ENCRYPTION_KEY: encryption } });
  const before = await keyIds(server);
  assert.doesNotMatch(server.log, new RegExp(encryption));
  await server.stop();

  const without = new Server(server.home);
  await assert.rejects(within(15_000, without.start()), /set oauth\.encryption_key/);
  const other = new Server(server.home, { env: { TROUPE_OAUTH_ENCRYPTION_KEY: freshKey() } });
  await assert.rejects(within(15_000, other.start()), /is not the one that is configured/);

  const file = join(server.home, 'next.key');
  writeFileSync(file, `${freshKey()}\n`, { mode: 0o600 });
  const next = { TROUPE_OAUTH_ENCRYPTION_KEY_FILE: file };
  const changed = new Server(server.home, { env: { ...next, TROUPE_OAUTH_ENCRYPTION_KEY_PREVIOUS: encryption } });
  await changed.start();
  await changed.stop();
  const after = new Server(server.home, { env: next });
  await after.start();
  assert.deepEqual(await keyIds(after), before);
  await after.stop();
});

test('an encryption key that is none is refused with its name', () => {
  const home = folder();
  const { status, err } = troupe(['config', 'check', '--config', join(home, 'troupe.toml')], { env: { TROUPE_OAUTH_ENCRYPTION_KEY: 'short' } });
  assert.notEqual(status, 0);
  assert.match(err, /oauth\.encryption_key wants 32 bytes/);
  assert.doesNotMatch(err, /short/);
});

test('a backup that was made while tokens were issued brings clients, keys and tokens back', async () => {
  const server = await serve();
  const client = await machine(server);
  const token = await machineToken(server, client);
  const kids = await keyIds(server);
  let busy = true;
  const load = (async () => { while (busy) await machineToken(server, client); })();
  const copy = join(server.home, 'copy.db');
  const done = server.command('backup', copy);
  busy = false;
  await load;
  assert.equal(done.status, 0, done.err);
  assert.match(done.out, /MiB, checked/);
  assert.equal(statSync(copy).mode & 0o777, 0o600);
  assert.ok(readFileSync(copy).subarray(0, 15).equals(Buffer.from('SQLite format 3')));
  assert.match(server.command('backup', copy).err, /exists already/);

  const restored = new Server(folder(generous));
  mkdirSync(restored.data, { mode: 0o700 });
  copyFileSync(copy, join(restored.data, 'troupe.db'));
  await restored.start();
  assert.deepEqual(await keyIds(restored), kids);
  const answer = await post(`${restored.url}/oauth/introspect`, { token }, { client });
  assert.equal(answer.status, 200, 'the client is not known after the restore');
  // Tokens name their issuer, and this one has another port; what it issues itself is good.
  const fresh = await machineToken(restored, client);
  assert.equal((await post(`${restored.url}/oauth/introspect`, { token: fresh }, { client })).body.active, true);
  await restored.stop();
});
