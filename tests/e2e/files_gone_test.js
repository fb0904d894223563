// The files of a running server are removed, moved away or replaced: it acknowledges nothing that would be lost, says
// so, makes no empty file in their place, and goes on when they are back.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { copyFileSync, existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { generous, serve, until } from './lib/server.js';
import { askToken, introspect, machineToken } from './lib/oauth.js';
import { Client } from './lib/websocket.js';

const durable = `${generous}\n[realtime.namespace.log]\nhistory_durability = "disk"\n`;
const machine = ['--name', 'machine', '--grant', 'client_credentials', '--scope', 'topic:>:subscribe topic:>:publish'];

/// What /health/ready says.
async function readiness(server) {
  const answer = await fetch(`${server.url}/health/ready`);
  const { database, history } = await answer.json();
  return { status: answer.status, database, history };
}
const becomes = (server, status) => until(async () => (await readiness(server)).status === status);
const newToken = (server, client) => askToken(server, client, { grant_type: 'client_credentials' });

test('while troupe.db or its log is moved away no token is issued, and all goes on when it is back', async () => {
  const server = await serve({ config: generous });
  const client = await server.addClient(...machine);
  const early = await machineToken(server, client);
  for (const name of ['troupe.db', 'troupe.db-wal']) {
    const file = join(server.data, name);
    renameSync(file, `${file}.away`);
    const refused = await newToken(server, client);
    assert.deepEqual([refused.status, refused.body.error], [503, 'temporarily_unavailable'], name);
    assert.ok(await becomes(server, 503), `it is ready without ${name}`);
    assert.equal((await readiness(server)).database, 'takes no writes');
    assert.ok(server.log.includes(`${file} is not the file any more that the server has open`), server.log);
    assert.equal((await introspect(server, client, early)).active, true, 'what is only read is still answered');
    assert.ok(!existsSync(file), `${name} was made anew`);
    renameSync(`${file}.away`, file);
    assert.ok(await becomes(server, 200), `it does not come back with ${name}`);
    assert.equal((await newToken(server, client)).status, 200);
  }
});

test('a removed log loses nothing where the server is stopped in order', async () => {
  const server = await serve({ config: generous });
  const client = await server.addClient(...machine);
  const token = await machineToken(server, client);
  rmSync(join(server.data, 'troupe.db-wal'));
  assert.equal((await newToken(server, client)).status, 503);
  await server.stop();
  await server.start(server.port);
  assert.equal((await introspect(server, client, token)).active, true);
});

test('a troupe.db that another file replaces is not written beside', async () => {
  const server = await serve({ config: generous });
  const client = await server.addClient(...machine);
  const file = join(server.data, 'troupe.db');
  copyFileSync(file, `${file}.copy`);
  renameSync(`${file}.copy`, file);
  assert.equal((await newToken(server, client)).status, 503);
  assert.ok(await becomes(server, 503));
  assert.match(server.log, /another file is in its place/);
});

test('while history.db is moved away nothing is acknowledged on its topics, and all goes on when it is back', async () => {
  const server = await serve({ config: durable });
  const client = await server.addClient(...machine);
  const connection = await Client.open(server.ws(), { token: await machineToken(server, client) });
  const publish = (payload) => connection.ask({ type: 'publish', topic: 'log.a', payload });
  assert.equal((await publish(1)).type, 'ack');
  const file = join(server.data, 'history.db');
  renameSync(file, `${file}.away`);
  const refused = await publish(2);
  assert.equal(refused.type, 'error');
  assert.match(refused.code, /^(internal|overloaded)$/);  // what was under way is not known yet
  assert.ok(await becomes(server, 503));
  assert.equal((await readiness(server)).history, 'takes no writes');
  assert.ok(!existsSync(file), 'it was made anew');
  renameSync(`${file}.away`, file);
  assert.ok(await becomes(server, 200));
  assert.equal((await publish(3)).offset, 2);
});
