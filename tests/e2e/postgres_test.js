// The authorization server on PostgreSQL: all that oauth_token_test.js asks of the token endpoint, and what a database
// that goes away and comes back means to clients.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Postgres } from './lib/postgres.js';
import { introspect, machineToken, post } from './lib/oauth.js';
import { folder, generous, Server, until } from './lib/server.js';

const postgres = await Postgres.start();
process.env.TROUPE_STORE_URL = postgres.url();  // of every server and command from here
await import('./oauth_token_test.js');

test('what it knows is in PostgreSQL, and no file of SQLite is made', async () => {
  const server = new Server(folder(generous));
  const before = Number(postgres.query('SELECT count(*) FROM clients'));
  await server.addClient('--name', 'Counted', '--grant', 'client_credentials', '--scope', 'read');
  assert.equal(Number(postgres.query('SELECT count(*) FROM clients')), before + 1);
  assert.ok(!existsSync(join(server.data, 'troupe.db')));
});

/// A server of its own on a database of its own, for commands too.
function serverOn(database, home = folder(generous)) {
  if (!postgres.query(`SELECT 1 FROM pg_database WHERE datname = '${database}'`)) postgres.query(`CREATE DATABASE ${database}`);
  process.env.TROUPE_STORE_URL = postgres.url(database);
  return new Server(home);
}

test('a second server on a database is refused at its start, and commands go on beside the first', async () => {
  const first = serverOn('shared');
  await first.start();
  try {
    await assert.rejects(serverOn('shared').start(), /"code":1[^]*troupe: the database: postgresql: another server serves this database already/);
    const client = await first.addClient('--name', 'Beside', '--grant', 'client_credentials', '--scope', 'read');
    assert.ok(await machineToken(first, client));
  } finally {
    await first.kill();
  }
  const next = serverOn('shared');
  await next.start();
  await next.stop();
});

test('of two servers that start in the same moment on a database one serves, and the other one ends with the reason', async () => {
  for (let round = 0; round < 4; ++round) {
    const servers = [serverOn('contended'), serverOn('contended')];
    const starts = await Promise.allSettled(servers.map((server) => server.start()));
    const refused = starts.filter((start) => start.status === 'rejected');
    await Promise.all(servers.filter((_, i) => starts[i].status === 'fulfilled').map((server) => server.stop()));
    assert.equal(refused.length, 1, JSON.stringify(starts));
    assert.match(String(refused[0].reason), /"code":1[^]*troupe: the database: postgresql: another server serves this database already/);
  }
});

test('while the database is away clients are told to come again, and when it is back all is as it was', async () => {
  const server = serverOn('away');
  const client = await server.addClient('--name', 'Patient', '--grant', 'client_credentials', '--scope', 'read');
  await server.start();
  try {
    const token = await machineToken(server, client);
    await postgres.stop();
    const ask = () => post(`${server.url}/oauth/token`, { grant_type: 'client_credentials' }, { client });
    const refused = await ask();
    assert.deepEqual([refused.status, refused.body.error], [503, 'temporarily_unavailable'], JSON.stringify(refused.body));
    assert.ok(refused.headers.get('retry-after'));
    assert.equal((await fetch(`${server.url}/health/ready`)).status, 503);
    // Whether the token is good, nobody knows: that is no reason to throw it away.
    const metrics = await fetch(`${server.url}/metrics`, { headers: { authorization: `Bearer ${token}` } });
    assert.deepEqual([metrics.status, metrics.headers.get('retry-after')], [503, '2']);

    await postgres.start();
    assert.ok(await until(async () => {
      const { status, body } = await ask();
      if (status !== 200) assert.equal(body.error, 'temporarily_unavailable', JSON.stringify(body));
      return status === 200;
    }, 20_000), 'it is not found again');
    assert.equal((await introspect(server, client, token)).active, true);
    // What was found while it was away holds for a second.
    assert.ok(await until(async () => (await fetch(`${server.url}/health/ready`)).status === 200, 5_000), 'not ready');
  } finally {
    await server.stop();
  }
});

test('while the database is read and takes no writes, the server is not ready', async () => {
  const server = serverOn('reading');
  await server.start();
  const ready = async () => {
    const answer = await fetch(`${server.url}/health/ready`);
    return [answer.status, (await answer.json()).database];
  };
  try {
    assert.deepEqual(await ready(), [200, undefined]);
    postgres.query('ALTER SYSTEM SET default_transaction_read_only = on');
    postgres.query('SELECT pg_reload_conf()');
    assert.ok(await until(async () => (await ready())[0] === 503, 10_000), 'it says that it is ready');
    assert.deepEqual(await ready(), [503, 'takes no writes']);
    postgres.query('ALTER SYSTEM RESET default_transaction_read_only');
    postgres.query('SELECT pg_reload_conf()');
    assert.ok(await until(async () => (await ready())[0] === 200, 20_000), 'it does not come back');
  } finally {
    postgres.query('ALTER SYSTEM RESET default_transaction_read_only');
    postgres.query('SELECT pg_reload_conf()');
    await server.stop();
  }
});

test('a database that cannot be reached is told in one sentence, without the password', () => {
  const server = new Server(folder('[store]\nurl = "postgresql://troupe:hunter2@127.0.0.1:1/troupe"\n'));
  delete process.env.TROUPE_STORE_URL;
  const done = server.command('client', 'list');
  assert.equal(done.status, 1);
  assert.match(done.err, /^troupe: the database: .*127\.0\.0\.1/);
  assert.ok(!`${done.err}${done.out}`.includes('hunter2'));
});
